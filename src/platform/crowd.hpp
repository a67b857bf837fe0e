// SPDX-License-Identifier: MIT
//
// Third parties that compute. A thread that offered its processor and got it back late has met one, which the kernel
// lets run for milliseconds: for the next 15, 63, 255 … 16,383 waits nothing is offered. After 2,047 offers that came
// back in time the crowd is forgotten. Each bucket of the parking lot remembers one, and joiners have one together.
//
// Fields are hints shared by many threads: relaxed everywhere, and a lost update costs a late offer.
#pragma once

#include <algorithm>
#include <cstdint>

#include <threading/detail/backend.hpp>

namespace threading::inline v1::platform {

class Crowd {
 public:
  // Counts one wait off.
  bool keeps_from_offering() noexcept {
    const std::uint16_t left = waits_left_.load(std::memory_order_relaxed);  // relaxed: hint
    if (left == 0) return false;
    waits_left_.store(static_cast<std::uint16_t>(left - 1), std::memory_order_relaxed);  // relaxed: hint
    return true;
  }

  // An offer came back after so many nanoseconds.
  void note_offer(std::int64_t took) noexcept { took > kLate ? found() : found_calm(); }

  // Offers the processor once, unless it has become known that this costs a slice. Returns: whether it has.
  bool offer() noexcept {
    if (keeps_from_offering()) return false;
    if (!is_to_be_timed()) {
      detail::backend::yield();
      return true;
    }
    const std::int64_t before = detail::backend::monotonic_now();
    detail::backend::yield();
    note_offer(detail::backend::monotonic_now() - before);
    return true;
  }

  void reset_after_fork() noexcept {
    waits_left_.store(0, std::memory_order_relaxed);  // relaxed: one thread is left
    timely_.store(0, std::memory_order_relaxed);      // relaxed: as above
    met_.store(0, std::memory_order_relaxed);         // relaxed: as above
    untimed_.store(0, std::memory_order_relaxed);     // relaxed: as above
  }

 private:
  // Nanoseconds. Less than the shortest slice a scheduler gives to a thread that computes; more than the turns of
  // dozens of threads, and more than most of the gaps that a hypervisor makes. See ADR 4.
  static constexpr std::int64_t kLate = 500'000;
  static constexpr std::uint8_t kMost = 6;            // 4^(6 + 1) - 1 = 16,383 waits without an offer
  static constexpr std::uint16_t kCalmAfter = 2'047;  // offers in time
  static constexpr std::uint8_t kTimedOneIn = 16;     // offers of offer(), while no crowd is known; see ADR 4

  // Two looks at the clock around a switch of threads cost hundreds of nanoseconds.
  bool is_to_be_timed() noexcept {
    if (met_.load(std::memory_order_relaxed) != 0) return true;                       // relaxed: hint
    const std::uint8_t count = untimed_.load(std::memory_order_relaxed);              // relaxed: hint
    untimed_.store(static_cast<std::uint8_t>(count + 1), std::memory_order_relaxed);  // relaxed: hint
    return count % kTimedOneIn == 0;
  }

  // Several threads that come back late together have met one crowd.
  void found() noexcept {
    if (waits_left_.load(std::memory_order_relaxed) != 0) return;                                      // relaxed: hint
    const int met = std::min<int>(met_.load(std::memory_order_relaxed) + 1, kMost);                    // relaxed: hint
    met_.store(static_cast<std::uint8_t>(met), std::memory_order_relaxed);                             // relaxed: hint
    waits_left_.store(static_cast<std::uint16_t>((4u << (2 * met)) - 1u), std::memory_order_relaxed);  // relaxed: hint
    timely_.store(0, std::memory_order_relaxed);                                                       // relaxed: hint
  }

  // Writes only while there is a crowd to forget: threads that spin here would lose the line at every offer.
  void found_calm() noexcept {
    if (met_.load(std::memory_order_relaxed) == 0) return;                             // relaxed: hint
    const std::uint16_t timely = timely_.load(std::memory_order_relaxed);              // relaxed: hint
    timely_.store(static_cast<std::uint16_t>(timely + 1), std::memory_order_relaxed);  // relaxed: hint
    if (timely >= kCalmAfter) met_.store(0, std::memory_order_relaxed);                // relaxed: hint
  }

  detail::backend::atomic<std::uint16_t> waits_left_{0};  // that offer nothing
  detail::backend::atomic<std::uint16_t> timely_{0};      // offers since the last crowd
  detail::backend::atomic<std::uint8_t> met_{0};          // so far, up to kMost
  detail::backend::atomic<std::uint8_t> untimed_{0};      // counts offers of offer()
};

}  // namespace threading::inline v1::platform
