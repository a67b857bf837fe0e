// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include "threads/life.hpp"
#include "threads/registry.hpp"
#include "timer/timer_wheel.hpp"

namespace threading::inline v1::timer {

// A cancelled timer that is still linked to its neighbours, in the wheel and in the registry's list, where nobody finds
// it any more. If many are pending, the neighbours' lines have left the caches, and whoever writes them waits for them
// at its next exchange. So a cancel only asks for these lines, ends the timer, and leaves the links to the next cancel,
// or to who looks at the wheel. One at a time: what one cancel does is time enough, more gain nothing (ADR 28).
//
// States   of a timer here: leaving, while it is linked; then cancelled, until whoever cancels it has ended it.
// Owns     the reference of its thread, from add() until settle() hands it out.
// Lock     the registry's, for all of this.
class Leaving {
 public:
  // Unlinks whoever is here. Returns: whether nobody is here afterwards; `gone` is then who was, with the reference
  // that is to be given up, or null. One that is not over yet stays: its function may be dropping the last handle just
  // now.
  bool settle(TimerWheel& wheel, TimerState*& gone) noexcept {
    if (timer_ != nullptr && timer_->stage == TimerState::Stage::leaving) {
      wheel.remove(*timer_);
      threads::unlink(*timer_);
      timer_->stage = TimerState::Stage::cancelled;
    }
    if (timer_ != nullptr && threads::is_alive(*timer_)) return false;
    gone = std::exchange(timer_, nullptr);
    return true;
  }

  // Requires: settle() has returned true; the timer is pending in the wheel. The caller destroys its function and ends
  // it.
  void add(TimerState& timer) noexcept {
    threads::hide(timer);
    timer.stage = TimerState::Stage::leaving;
    timer_ = &timer;
    const void* const neighbours[] = {timer.next, timer.previous, timer.next_timer, timer.previous_timer};
    for (const void* const neighbour : neighbours) __builtin_prefetch(neighbour, 1);
  }

  // In a forked child: forgets it, as the registry does all others.
  void reset() noexcept { timer_ = nullptr; }

 private:
  TimerState* timer_ = nullptr;
};

}  // namespace threading::inline v1::timer
