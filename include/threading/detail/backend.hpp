// SPDX-License-Identifier: MIT
//
// The one place that decides what the library runs on. Every source uses the names of `detail::backend` and never
// std::atomic, a clock, a futex or an OS thread directly, so that the schedule lab can compile the same sources,
// unchanged, against a deterministic scheduler (tests/schedule/).
//
//   atomic<T>                        the interface of std::atomic<T>, orders always spelled
//   stop_token, stop_source, stop_callback<F>
//   monotonic_now()                  nanoseconds on the clock of std::chrono::steady_clock
//   cpu_relax(), yield()             inside a spin; give the processor away
//   current_cpu(), cpu_count()       for the backoff policy only
//   light_fence(), heavy_fence()     asymmetric fences: the light one is for the compiler, the heavy one for all others
//   has_heavy_fence()                whether the kernel can do that
//   futex_wait(), futex_wake()       the kernel's wait on a 32-bit word (Linux)
//   per_thread()                     this thread's block, see per_thread.hpp
//   many_queued()                    from how many on a queue is long; few in the lab, which has few threads
//   own_token()                      the token in it, 0 if it has none yet
#pragma once

#if defined(THREADING_BACKEND_SCHEDULE)
#include <schedule/backend.hpp>
#else
#include <threading/detail/backend_native.hpp>
#endif
