// SPDX-License-Identifier: MIT
//
// The one backoff policy. Sleeping and waking through the kernel costs thousands of nanoseconds and, when the
// processor has gone idle, tens of thousands; what a thread waits for often happens sooner. But spinning steals the
// time of the very thread that must act when both share a processor. So a thread spins only
//  - with more than one processor at hand, and only if whoever woke the last waiter of this bucket did so from
//    another processor than ours;
//  - for at most kSpinLimit, and four times what successful spins of this bucket took on average;
//  - after a failure not at all for the next 1, 3, 7 … 63 waits at this bucket.
//
// Fields are hints shared by all that hash to a bucket: relaxed everywhere, and a lost update costs a spin.
#pragma once

#include <cstdint>

#include <threading/detail/backend.hpp>
#include <threading/detail/deadline.hpp>

namespace threading::inline v1::parking {

// About one wake-up of an idle processor through the kernel (20–45 µs on the virtual machines we measured): a spin
// that is longer than what it saves cannot pay. Nanoseconds.
inline constexpr std::int64_t kSpinLimit = 20'000;

class SpinHistory {
 public:
  // Spins until `done()`, or until the policy says that sleeping is better.
  // Returns: whether it is done.
  template <class Done>
  bool spin(Done done) noexcept {
    if (!worth_it()) return false;
    const std::int64_t start = detail::backend::monotonic_now();
    const std::int64_t limit = budget();
    for (;;) {
      for (int i = 0; i != kPausesPerClockRead; ++i) {
        if (done()) {
          succeeded(detail::backend::monotonic_now() - start);
          return true;
        }
        detail::backend::cpu_relax();
      }
      if (detail::backend::monotonic_now() - start >= limit) break;
    }
    failed();
    return false;
  }

  // By whoever wakes somebody here: remembers the processor that acts.
  void note_waker() noexcept {
    // relaxed: hint.
    waker_cpu_.store(static_cast<std::int16_t>(detail::backend::current_cpu() + 1), std::memory_order_relaxed);
  }

  void reset_after_fork() noexcept {
    skip_.store(0, std::memory_order_relaxed);       // relaxed: one thread is left
    failures_.store(0, std::memory_order_relaxed);   // relaxed: as above
    average_.store(0, std::memory_order_relaxed);    // relaxed: as above
    waker_cpu_.store(0, std::memory_order_relaxed);  // relaxed: as above
  }

 private:
  static constexpr int kPausesPerClockRead = 16;
  static constexpr std::uint8_t kMaxFailures = 6;  // 2^6 - 1 = 63 waits skipped

  bool worth_it() noexcept {
    if (detail::backend::cpu_count() < 2) return false;
    // relaxed, here and below: hints.
    const std::uint8_t skip = skip_.load(std::memory_order_relaxed);
    if (skip != 0) {
      skip_.store(static_cast<std::uint8_t>(skip - 1), std::memory_order_relaxed);
      return false;
    }
    const int waker = waker_cpu_.load(std::memory_order_relaxed);  // relaxed: hint
    return waker == 0 || waker != detail::backend::current_cpu() + 1;
  }

  std::int64_t budget() const noexcept {
    const std::int64_t average = average_.load(std::memory_order_relaxed);  // relaxed: hint
    if (average == 0) return kSpinLimit;
    const std::int64_t four_times = 4 * average + 1000;
    return four_times < kSpinLimit ? four_times : kSpinLimit;
  }

  void succeeded(std::int64_t took) noexcept {
    const std::int64_t average = average_.load(std::memory_order_relaxed);  // relaxed: hint
    // A running average over about eight spins; at least 1, since 0 means unknown.
    const std::int64_t next = average == 0 ? took + 1 : average + (took - average) / 8;
    average_.store(static_cast<std::uint32_t>(next < 1 ? 1 : next), std::memory_order_relaxed);  // relaxed: hint
    failures_.store(0, std::memory_order_relaxed);                                              // relaxed: hint
  }

  void failed() noexcept {
    const std::uint8_t seen = failures_.load(std::memory_order_relaxed);  // relaxed: hint
    const auto failures = static_cast<std::uint8_t>(seen < kMaxFailures ? seen + 1 : kMaxFailures);
    failures_.store(failures, std::memory_order_relaxed);                                          // relaxed: hint
    skip_.store(static_cast<std::uint8_t>((1u << failures) - 1u), std::memory_order_relaxed);      // relaxed: hint
  }

  detail::backend::atomic<std::uint32_t> average_{0};  // nanoseconds of successful spins; 0: unknown
  detail::backend::atomic<std::int16_t> waker_cpu_{0};  // processor + 1; 0: unknown
  detail::backend::atomic<std::uint8_t> skip_{0};
  detail::backend::atomic<std::uint8_t> failures_{0};
};

// The history of the bucket that `key` hashes to: for primitives that spin on their own word before they park.
SpinHistory& spin_history(const void* key) noexcept;

}  // namespace threading::inline v1::parking
