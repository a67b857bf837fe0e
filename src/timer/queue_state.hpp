// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include <threading/detail/backend.hpp>

#include "timer/leaving.hpp"
#include "timer/timer_wheel.hpp"
#include "timer/wake_lag.hpp"

namespace threading::inline v1::timer {

// Guarded by registry_lock, but for the two atomics' reading. No other lock but the lot's is taken under it.
struct Queue {
  TimerWheel wheel;
  Leaving leaving;  // cancelled, and still linked
  TimerList due;
  std::uint64_t taken = 0;                         // how many timers were taken, ever
  std::size_t running = 0;                         // pool threads that run a function
  std::size_t idle = 0;                            // pool threads that may be appointed
  bool is_watched = false;                         // a thread watches, or is on its way to
  std::int64_t watched_until = 0;                  // what the watcher, or who is to be it, sleeps until; or INT64_MIN
  std::int64_t idle_until = 0;                     // all idle threads have got up by then
  WakeLag wake_lag;                                // the watcher's own
  detail::backend::atomic<bool> is_called{false};  // the watcher must look again
  detail::backend::atomic<std::size_t> appointments{0};  // idle threads that are to watch when they get up
};

}  // namespace threading::inline v1::timer
