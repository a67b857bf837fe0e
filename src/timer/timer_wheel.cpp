// SPDX-License-Identifier: MIT
//
// Word     none; the caller's lock guards everything. base_, and the slots, see timer_wheel.hpp.
// Moves    insert and remove: any timer, any time. take_due: raises base_.
// I1       Every deadline in the wheel is after base_, and base_ is not after the present time.
// I2       A timer is in the slot that its deadline and the present base_ call for. base_ is raised only within the
//          earliest slot, which is then emptied and put in again; the digits that place all others do not change.
// Destroy  A timer is in no slot when it is destroyed: the queue has a reference as long.
#include "timer/timer_wheel.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>

namespace threading::inline v1::timer {
namespace {

// relaxed: under the queue's lock.
std::int64_t deadline_of(const TimerState& timer) noexcept { return timer.deadline.load(std::memory_order_relaxed); }

}  // namespace

void TimerWheel::put(TimerState& timer) noexcept {
  const std::int64_t deadline = deadline_of(timer);
  const auto difference = static_cast<std::uint64_t>(deadline ^ base_);
  const unsigned level = (63u - static_cast<unsigned>(std::countl_zero(difference))) / kDigitBits;
  const auto digit = static_cast<unsigned>(deadline >> (level * kDigitBits)) & (kDigits - 1);
  const unsigned index = level * kDigits + digit;
  Slot& slot = slots_[index];
  slot.bound = slot.timers.is_empty() ? deadline : std::min(slot.bound, deadline);
  slot.timers.push_back(timer);
  occupied_[level] |= std::uint64_t{1} << digit;
  timer.slot = static_cast<std::uint16_t>(index);
}

void TimerWheel::insert(TimerState& timer, std::int64_t now) noexcept {
  if (count_++ == 0) base_ = now;  // nothing is there that would have to move
  put(timer);
}

void TimerWheel::remove(TimerState& timer) noexcept {
  Slot& slot = slots_[timer.slot];
  slot.timers.remove(timer);
  --count_;
  if (slot.timers.is_empty()) occupied_[timer.slot / kDigits] &= ~(std::uint64_t{1} << (timer.slot % kDigits));
}

unsigned TimerWheel::earliest() const noexcept {
  unsigned level = 0;
  while (occupied_[level] == 0) ++level;
  return level * kDigits + static_cast<unsigned>(std::countr_zero(occupied_[level]));
}

std::int64_t TimerWheel::next() const noexcept { return is_empty() ? INT64_MAX : slots_[earliest()].bound; }

void TimerWheel::take_due(std::int64_t now, TimerList& due) noexcept {
  while (!is_empty()) {
    const unsigned index = earliest();
    Slot& slot = slots_[index];
    if (slot.bound > now) return;
    const unsigned shift = index / kDigits * kDigitBits;
    TimerList timers = std::exchange(slot.timers, TimerList());
    occupied_[index / kDigits] &= ~(std::uint64_t{1} << (index % kDigits));
    // The last moment of this slot: all digits below its level at their highest.
    const std::int64_t last = deadline_of(*timers.first()) | ((std::int64_t{1} << shift) - 1);
    base_ = std::min(now, last);
    while (TimerState* const timer = timers.pop_front()) {
      if (deadline_of(*timer) <= now) {
        --count_;
        timer->stage = TimerState::Stage::due;
        due.push_back(*timer);
      } else {
        put(*timer);
      }
    }
  }
}

}  // namespace threading::inline v1::timer
