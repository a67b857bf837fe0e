// SPDX-License-Identifier: MIT
//
// A parker puts one thread to sleep until another wakes it. It is the only thing in the library that really blocks.
//
// Contract, the same for every implementation:
//   prepare()     by the owner, before anyone else can see the parker. Not woken then.
//   is_woken()    by the owner, while it spins: whether unpark() has happened.
//   park(d, i)    by the owner: sleeps until unpark(), the deadline, or (if `i`) a signal handler on this thread.
//                 Returns `woken` exactly if unpark() has happened, also when that was long ago. Never `timed_out`
//                 early. May be called again after `timed_out` and `interrupted`.
//   unpark()      by one other thread, once per prepare(). After its effect the owner may return and the parker's
//                 memory vanish; an implementation touches no memory of it after that, save handing its address to
//                 the kernel.
// Visibility: what happened before unpark() is seen after is_woken() is true or park() returns `woken`.
//
// Which implementation is `Parker` is chosen when the library is built; both are always built and tested.
#pragma once

#include "platform/parker_condvar.hpp"
#include "platform/parker_futex.hpp"

namespace threading::inline v1::platform {

#if defined(THREADING_PARKER_CONDVAR)
using Parker = CondvarParker;
#else
using Parker = FutexParker;
#endif

}  // namespace threading::inline v1::platform
