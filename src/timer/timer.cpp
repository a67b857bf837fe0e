// SPDX-License-Identifier: MIT
#include <threading/timer.hpp>

#include <new>

#include "threads/registry.hpp"
#include "timer/timer_queue.hpp"

namespace threading::inline v1 {

namespace timer {

bool TimerState::launch() { return enqueue(*this); }

}  // namespace timer

namespace detail {

NewThread new_timer(ThreadOptions&& options, Timeout interval, const BodyPlan& plan) {
  const NewThread made =
      new_thread_block(options, plan, sizeof(timer::TimerState),
                       [](void* at) noexcept -> ThreadState* { return ::new (at) timer::TimerState; });
  static_cast<timer::TimerState&>(*made.state).interval(interval);
  return made;
}

void cancel_timer(ThreadState& state) noexcept { timer::cancel(static_cast<timer::TimerState&>(state)); }

}  // namespace detail

}  // namespace threading::inline v1
