// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <threading/timeout.hpp>

#include "threads/thread_state.hpp"

namespace threading::inline v1::timer {

// The object behind a Timer. The fields are guarded by the queue's lock, but those that say otherwise; their life is
// told in timer_queue.cpp.
class TimerState final : public detail::ThreadState {
 public:
  enum class Stage : std::uint8_t { fresh, cancelled, pending, due, taken };

  TimerState() noexcept : ThreadState(Kind::timer) {}

  bool launch() noexcept override;
  // relaxed: for display.
  Deadline fires_at() const noexcept override { return Deadline::at(deadline.load(std::memory_order_relaxed)); }

  Timeout interval = forever;                                 // not changed any more after the constructor of Timer
  detail::backend::atomic<std::int64_t> deadline{INT64_MAX};  // monotonic nanoseconds; not changed any more once queued
  TimerState* next_timer = nullptr;
  TimerState* previous_timer = nullptr;
  std::uint16_t slot = 0;  // of the wheel, while it is there
  Stage stage = Stage::fresh;
};

}  // namespace threading::inline v1::timer
