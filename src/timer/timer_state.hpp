// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <threading/timeout.hpp>

#include "threads/thread_state.hpp"

namespace threading::inline v1::timer {

// The object behind a Timer. The fields are guarded by the registry's lock; their life is told in timer_queue.cpp.
class TimerState final : public detail::ThreadState {
 public:
  enum class Stage : std::uint8_t { fresh, cancelled, leaving, pending, due, taken };
  static constexpr unsigned kMostSlots = 1u << 11;  // of the wheel

  TimerState() noexcept : ThreadState(Kind::timer, sizeof(TimerState)) {}

  Timeout interval() const noexcept { return Timeout::make(deadline, interval_kind); }
  void interval(Timeout interval) noexcept {
    deadline = interval.nanoseconds();
    interval_kind = interval.kind();
  }

  std::uint16_t slot : 11 = 0;  // of the wheel, while it is there
  Stage stage : 3 = Stage::fresh;
  Timeout::Kind interval_kind : 2 = Timeout::Kind::never;
  std::int64_t deadline = 0;  // monotonic nanoseconds; while it is fresh or cancelled: the interval's number
  TimerState* next_timer = nullptr;
  TimerState* previous_timer = nullptr;
};

static_assert(sizeof(TimerState) < 32 * sizeof(void*), "as many words as ThreadState can count");
static_assert(sizeof(TimerState) == 80 || sizeof(void*) != 8 || sizeof(detail::ThreadState::Join) != 8, "see ADR 28");

}  // namespace threading::inline v1::timer
