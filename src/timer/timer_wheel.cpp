// SPDX-License-Identifier: MIT
//
// Word     none; the caller's lock guards everything. base_, and the slots, see timer_wheel.hpp.
// Moves    insert and remove: any timer, any time. take_due: raises base_.
// I1       Every deadline in the wheel is after base_, and base_ is not after the present time.
// I2       A timer is in the slot that its deadline and the present base_ call for, or loose. base_ is raised only
//          within the earliest slot, which is then emptied and put in again; the digits that place all others do not
//          change.
// I3       While timers are loose no other slot is emptied, and whatever is inserted in the range of their slot joins
//          them, behind those that were there before.
// Destroy  A timer is in no slot when it is destroyed: the queue has a reference as long.
#include "timer/timer_wheel.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>

namespace threading::inline v1::timer {

void TimerWheel::put(TimerState& timer) noexcept {
  const std::int64_t deadline = timer.deadline;
  const auto difference = static_cast<std::uint64_t>(deadline ^ base_);
  const unsigned level = (63u - static_cast<unsigned>(std::countl_zero(difference))) / kDigitBits;
  const auto digit = static_cast<unsigned>(deadline >> (level * kDigitBits)) & (kDigits - 1);
  const unsigned index = level * kDigits + digit;
  Slot& slot = slots_[index];
  slot.bound = slot.timers.is_empty() ? deadline : std::min(slot.bound, deadline);
  slot.timers.push_back(timer);
  occupied_[level] |= std::uint64_t{1} << digit;
  timer.slot = index & (TimerState::kMostSlots - 1);
}

bool TimerWheel::insert(TimerState& timer, std::int64_t now) noexcept {
  if (count_ == 0) base_ = now;  // nothing is there that would have to move
  if (timer.deadline <= base_) return false;
  ++count_;
  if (!loose_.is_empty() && timer.deadline <= loose_last_) {
    timer.slot = loose_slot_ & (TimerState::kMostSlots - 1);
    loose_.push_back(timer);
  } else {
    put(timer);
  }
  return true;
}

void TimerWheel::remove(TimerState& timer) noexcept {
  --count_;
  if (timer.slot == loose_slot_ && !loose_.is_empty()) {
    loose_.remove(timer);
    return;
  }
  Slot& slot = slots_[timer.slot];
  slot.timers.remove(timer);
  if (slot.timers.is_empty()) occupied_[timer.slot / kDigits] &= ~(std::uint64_t{1} << (timer.slot % kDigits));
}

unsigned TimerWheel::earliest() const noexcept {
  unsigned level = 0;
  while (occupied_[level] == 0) ++level;
  return level * kDigits + static_cast<unsigned>(std::countr_zero(occupied_[level]));
}

std::int64_t TimerWheel::next() const noexcept {
  if (is_empty()) return INT64_MAX;
  return loose_.is_empty() ? slots_[earliest()].bound : slots_[loose_slot_].bound;
}

// Makes the timers of a slot loose.
void TimerWheel::empty(unsigned index, std::int64_t now) noexcept {
  Slot& slot = slots_[index];
  const unsigned shift = index / kDigits * kDigitBits;
  loose_ = std::exchange(slot.timers, TimerList());
  loose_slot_ = index;
  occupied_[index / kDigits] &= ~(std::uint64_t{1} << (index % kDigits));
  // The last moment of this slot: all digits below its level at their highest.
  loose_last_ = loose_.first()->deadline | ((std::int64_t{1} << shift) - 1);
  base_ = std::min(now, loose_last_);
}

void TimerWheel::take_due(std::int64_t now, TimerList& due, std::size_t most) noexcept {
  while (!is_empty()) {
    if (loose_.is_empty()) {
      const unsigned index = earliest();
      if (slots_[index].bound > now) return;
      empty(index, now);
    }
    while (TimerState* const timer = loose_.first()) {
      if (most-- == 0) return;
      loose_.remove(*timer);
      // Not `now`: those of the same deadline that were put down before the last stop would come behind.
      if (timer->deadline <= base_) {
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
