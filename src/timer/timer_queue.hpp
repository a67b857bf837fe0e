// SPDX-License-Identifier: MIT
//
// All pending timers of the process, and the threads that wait for them and run them. Told in timer_queue.cpp.
#pragma once

#include "timer/timer_state.hpp"

namespace threading::inline v1::timer {

// Begins a timer, as ThreadState::launch(), and waits for its deadline. Returns: false when the system has no thread
// that would wait.
bool enqueue(TimerState& timer);
// Cancels it wherever it is.
void cancel(TimerState& timer) noexcept;

}  // namespace threading::inline v1::timer
