// SPDX-License-Identifier: MIT
#include <threading/timer.hpp>

#include <new>

#include "threads/registry.hpp"
#include "timer/timer_queue.hpp"

namespace threading::inline v1 {

namespace timer {

bool TimerState::launch() noexcept {
  // No OS thread's ident is the address of a living object. relaxed: a number and nothing else.
  ident.store(static_cast<Ident>(reinterpret_cast<std::uintptr_t>(this)), std::memory_order_relaxed);
  return enqueue(*this);
}

}  // namespace timer

namespace detail {

NewThread new_timer(ThreadOptions&& options, Timeout interval, const BodyPlan& plan) {
  NewThread made = new_thread_block(std::move(options), plan, sizeof(timer::TimerState),
                                    [](void* at) -> ThreadState* { return ::new (at) timer::TimerState; });
  static_cast<timer::TimerState&>(*made.handle).interval = interval;
  return made;
}

void cancel_timer(ThreadState& state) noexcept { timer::cancel(static_cast<timer::TimerState&>(state)); }

}  // namespace detail

}  // namespace threading::inline v1
