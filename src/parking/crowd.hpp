// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

#include <threading/detail/backend.hpp>

namespace threading::inline v1::parking {

// Whether threads that offer their processor get it back in time. Who does not has met a third party that computes,
// which the kernel lets run for milliseconds: for the next 15, 63, 255 … 16,383 waits nothing is offered. Hints, as
// those of spin_wait.hpp.
class Crowd {
 public:
  // Asked once a wait.
  bool keeps_from_offering() noexcept {
    const std::uint16_t left = left_.load(std::memory_order_relaxed);  // relaxed: hint
    if (left == 0) return false;
    left_.store(static_cast<std::uint16_t>(left - 1), std::memory_order_relaxed);  // relaxed: hint
    return true;
  }

  // After an offer that took so many nanoseconds.
  void learn(std::int64_t offer) noexcept { offer > kLate ? meet() : find_calm(); }

  void reset_after_fork() noexcept {
    left_.store(0, std::memory_order_relaxed);    // relaxed: one thread is left
    timely_.store(0, std::memory_order_relaxed);  // relaxed: as above
    met_.store(0, std::memory_order_relaxed);     // relaxed: as above
  }

 private:
  // Nanoseconds. Less than the shortest slice a scheduler gives to a thread that computes; more than the turns of
  // dozens of threads, and more than most of the gaps that a hypervisor makes.
  static constexpr std::int64_t kLate = 500'000;
  static constexpr std::uint8_t kMost = 6;            // 4^(6 + 1) - 1 = 16,383 waits without an offer
  static constexpr std::uint16_t kCalmAfter = 2'047;  // offers in time, after which a crowd is forgotten

  // Several threads that come back late together have met one crowd.
  void meet() noexcept {
    if (left_.load(std::memory_order_relaxed) != 0) return;                                      // relaxed: hint
    const int met = std::min<int>(met_.load(std::memory_order_relaxed) + 1, kMost);              // relaxed: hint
    met_.store(static_cast<std::uint8_t>(met), std::memory_order_relaxed);                       // relaxed: hint
    left_.store(static_cast<std::uint16_t>((4u << (2 * met)) - 1u), std::memory_order_relaxed);  // relaxed: hint
    timely_.store(0, std::memory_order_relaxed);                                                 // relaxed: hint
  }

  // Writes only while there is a crowd to forget: threads that spin here would lose the line at every offer.
  void find_calm() noexcept {
    if (met_.load(std::memory_order_relaxed) == 0) return;                             // relaxed: hint
    const std::uint16_t timely = timely_.load(std::memory_order_relaxed);              // relaxed: hint
    timely_.store(static_cast<std::uint16_t>(timely + 1), std::memory_order_relaxed);  // relaxed: hint
    if (timely >= kCalmAfter) met_.store(0, std::memory_order_relaxed);                // relaxed: hint
  }

  detail::backend::atomic<std::uint16_t> left_{0};    // waits left that offer nothing
  detail::backend::atomic<std::uint16_t> timely_{0};  // offers in time since the last crowd
  detail::backend::atomic<std::uint8_t> met_{0};      // crowds so far, up to kMost
};

}  // namespace threading::inline v1::parking
