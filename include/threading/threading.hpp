// SPDX-License-Identifier: MIT
//
// All of threading, in the order of Python's __all__.
#pragma once

#include <threading/barrier.hpp>    // Barrier, BrokenBarrierError
#include <threading/condition.hpp>  // Condition
#include <threading/errors.hpp>     // the errors
#include <threading/event.hpp>      // Event
#include <threading/local.hpp>      // local
#include <threading/lock.hpp>       // Lock
#include <threading/rlock.hpp>      // RLock
#include <threading/semaphore.hpp>  // Semaphore, BoundedSemaphore
#include <threading/thread.hpp>     // get_ident, active_count, current_thread, enumerate, main_thread …
#include <threading/timeout.hpp>    // TIMEOUT_MAX
#include <threading/timer.hpp>      // Timer
#include <threading/trace.hpp>      // settrace, setprofile
// What Python has in its syntax, and what it has not.
#include <threading/dump.hpp>  // who waits for what
#include <threading/with.hpp>  // With: the with statement
