// SPDX-License-Identifier: MIT
#include <threading/timer.hpp>

#include <new>

#include "base/hooks.hpp"
#include "threads/registry.hpp"
#include "timer/timer_queue.hpp"

namespace threading::inline v1 {

namespace timer {

namespace {

bool launch(detail::ThreadState& state) { return enqueue(static_cast<TimerState&>(state)); }
std::int64_t deadline_of(const detail::ThreadState& state) noexcept {
  return static_cast<const TimerState&>(state).deadline;
}

// Not at start-up: a global Timer may be made before this file is initialised.
void fill_slots() noexcept {
  // relaxed, all: everybody stores the same; who makes a Timer has seen both or stored them, and who knows a Timer
  // knows what its maker knew.
  if (base::hooks.launch_timer.load(std::memory_order_relaxed) != nullptr &&
      base::hooks.timer_deadline.load(std::memory_order_relaxed) != nullptr) {
    return;
  }
  base::hooks.launch_timer.store(&launch, std::memory_order_relaxed);
  base::hooks.timer_deadline.store(&deadline_of, std::memory_order_relaxed);
}

}  // namespace

}  // namespace timer

namespace detail {

NewThread new_timer(ThreadOptions&& options, Timeout interval, const BodyPlan& plan) {
  timer::fill_slots();
  const NewThread made =
      new_thread_block(options, plan, sizeof(timer::TimerState),
                       [](void* at) noexcept -> ThreadState* { return ::new (at) timer::TimerState; });
  static_cast<timer::TimerState&>(*made.state).interval(interval);
  return made;
}

void cancel_timer(ThreadState& state) noexcept { timer::cancel(static_cast<timer::TimerState&>(state)); }

}  // namespace detail

}  // namespace threading::inline v1
