// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <threading/timeout.hpp>

#include "threads/thread_state.hpp"

namespace threading::inline v1::timer {

// The object behind a Timer. The fields are guarded by the registry's lock; their life is told in timer_queue.cpp.
class TimerState final : public detail::ThreadState {
 public:
  enum class Stage : std::uint8_t { fresh, cancelled, pending, due, taken };

  TimerState() noexcept : ThreadState(Kind::timer) {}

  bool launch() override;
  Deadline fires_at() const noexcept override { return Deadline::at(deadline); }

  Timeout interval() const noexcept { return Timeout::make(deadline, interval_kind); }
  void interval(Timeout interval) noexcept {
    deadline = interval.nanoseconds();
    interval_kind = interval.kind();
  }

  Stage stage = Stage::fresh;
  Timeout::Kind interval_kind = Timeout::Kind::never;
  std::uint16_t slot = 0;     // of the wheel, while it is there
  std::int64_t deadline = 0;  // monotonic nanoseconds; while it is fresh or cancelled: the interval's number
  TimerState* next_timer = nullptr;
  TimerState* previous_timer = nullptr;
};

}  // namespace threading::inline v1::timer
