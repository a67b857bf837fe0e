// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "timer/timer_state.hpp"

namespace threading::inline v1::timer {

// A list of timers, linked through them.
class TimerList {
 public:
  bool is_empty() const noexcept { return first_ == nullptr; }
  TimerState* first() const noexcept { return first_; }

  void push_back(TimerState& timer) noexcept {
    timer.next_timer = nullptr;
    timer.previous_timer = last_;
    (last_ != nullptr ? last_->next_timer : first_) = &timer;
    last_ = &timer;
  }
  void remove(TimerState& timer) noexcept {
    (timer.previous_timer != nullptr ? timer.previous_timer->next_timer : first_) = timer.next_timer;
    (timer.next_timer != nullptr ? timer.next_timer->previous_timer : last_) = timer.previous_timer;
  }
  TimerState* pop_front() noexcept {
    TimerState* const timer = first_;
    if (timer != nullptr) remove(*timer);
    return timer;
  }

 private:
  TimerState* first_ = nullptr;
  TimerState* last_ = nullptr;
};

// Timers by deadline. Insertion and removal take the same few steps however many there are; nothing is allocated.
//
// Usual wheels turn by ticks of, say, a millisecond, and fire late by up to one. This one has a tick of a nanosecond
// and never turns: a deadline is a number of eleven digits to the base 64, and `base_` a time that nothing precedes. A
// timer is in slot [level][digit], where level is the highest digit in which its deadline differs from base_, and digit
// is the deadline's at that place. So everything on a lower level is earlier than anything on a higher one, and within
// a level slots are in order: the earliest slot is found by two bit scans. A slot's timers are not ordered, but the
// slot knows a lower bound of their deadlines. When that has come, the slot is emptied: what is due is taken out, the
// rest differs from the new base_ in a lower digit only and moves down. A timer moves at most ten times, and mostly
// never. A slot may hold any number of timers, so emptying it is done in pieces: what is left is `loose_` meanwhile.
class TimerWheel {
 public:
  bool is_empty() const noexcept { return count_ == 0; }

  // Requires: the deadline is after `now`. Returns: false if it is not after a time that take_due() was told; the timer
  // is due then.
  [[nodiscard]] bool insert(TimerState& timer, std::int64_t now) noexcept;
  void remove(TimerState& timer) noexcept;
  // Moves timers whose deadline is not after `now`, which never goes back, to the end of `due`, in stage `due`: all of
  // them, unless it has looked at `most` timers before; next() is not after `now` then.
  void take_due(std::int64_t now, TimerList& due, std::size_t most) noexcept;
  // No timer is due before this; INT64_MAX for none. Exact, but for the deadlines of timers removed since, and for a
  // time that has passed already when take_due() was stopped.
  std::int64_t next() const noexcept;

  // In a forked child: forgets all.
  void reset() noexcept { *this = TimerWheel(); }

 private:
  static constexpr unsigned kDigitBits = 6;
  static constexpr unsigned kDigits = 1u << kDigitBits;
  static constexpr unsigned kLevels = 11;  // 66 bits: all of a deadline

  struct Slot {
    TimerList timers;
    std::int64_t bound = 0;  // a lower bound of the deadlines; meaningless while empty
  };

  static constexpr unsigned kNoSlot = kLevels * kDigits;
  static_assert(kNoSlot < TimerState::kMostSlots);

  // The earliest slot that is not empty. Requires: there is one.
  unsigned earliest() const noexcept;
  void put(TimerState& timer) noexcept;
  void empty(unsigned index, std::int64_t now) noexcept;

  std::int64_t base_ = 0;
  std::size_t count_ = 0;
  TimerList loose_;                       // what is left of a slot that is being emptied; all others are later
  unsigned loose_slot_ = kNoSlot;         // that slot, which they still name
  std::int64_t loose_last_ = 0;           // its last moment
  std::uint64_t occupied_[kLevels] = {};  // a bit for each slot with timers
  Slot slots_[kLevels * kDigits] = {};
};

}  // namespace threading::inline v1::timer
