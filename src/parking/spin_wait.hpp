// SPDX-License-Identifier: MIT
//
// The one backoff policy. Sleeping and waking through the kernel costs thousands of nanoseconds and, when the
// processor has gone idle, tens of thousands; what a thread waits for often happens sooner. But spinning steals the
// time of the very thread that must act when both share a processor. So a thread spins only
//  - with more than one processor at hand, and only if the last wake-up in this bucket came from another processor
//    than the one its waiter waited on;
//  - for at most kSpinLimit, and four times what successful spins of this bucket took on average;
//  - after a failure not at all for the next 1, 3, 7 … 63 waits at this bucket.
//
// Two threads that answer each other have two stable ways to live: both awake, a hundred nanoseconds a turn, or both
// asleep, where each turn waits for a wake-up through the kernel. Only a spin that is longer than such a wake-up leads
// from the second to the first. Hence the limit, and hence a failure forgets the average: the next spin is a long one,
// or a single hiccup would make every later spin too short to find the way back.
//
// Fields are hints shared by all that hash to a bucket: relaxed everywhere, and a lost update costs a spin.
#pragma once

#include <cstdint>

#include <threading/detail/backend.hpp>
#include <threading/detail/deadline.hpp>

namespace threading::inline v1::parking {

// A little more than one wake-up of an idle processor through the kernel (20–45 µs on the virtual machines we
// measured). Nanoseconds.
inline constexpr std::int64_t kSpinLimit = 50'000;

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

  // By whoever wakes or moves somebody here that waited on `waiter_cpu` (current_cpu()). It does not do to remember the
  // waker alone: where two threads wake each other through one bucket, the last waker is the one that waits next.
  void note_wake(int waiter_cpu) noexcept {
    const int cpu = detail::backend::current_cpu();
    const auto distance = cpu < 0 || waiter_cpu < 0 ? kUnknown : cpu == waiter_cpu ? kSame : kApart;
    // relaxed: hint. Read first: threads that spin here would lose the line at every wake-up.
    if (distance_.load(std::memory_order_relaxed) != distance) distance_.store(distance, std::memory_order_relaxed);
  }

  void reset_after_fork() noexcept {
    skip_.store(0, std::memory_order_relaxed);       // relaxed: one thread is left
    failures_.store(0, std::memory_order_relaxed);   // relaxed: as above
    average_.store(0, std::memory_order_relaxed);    // relaxed: as above
    distance_.store(kUnknown, std::memory_order_relaxed);  // relaxed: as above
  }

 private:
  static constexpr std::uint8_t kUnknown = 0;
  static constexpr std::uint8_t kSame = 1;
  static constexpr std::uint8_t kApart = 2;
  static constexpr int kPausesPerClockRead = 16;
  static constexpr std::uint8_t kMaxFailures = 6;  // 2^6 - 1 = 63 waits skipped

  bool worth_it() noexcept {
    if (detail::backend::cpu_count() < 2) return false;
    if (distance_.load(std::memory_order_relaxed) == kSame) return false;  // relaxed: hint
    // relaxed, here and below: hints.
    const std::uint8_t skip = skip_.load(std::memory_order_relaxed);
    if (skip != 0) {
      skip_.store(static_cast<std::uint8_t>(skip - 1), std::memory_order_relaxed);
      return false;
    }
    return true;
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
    average_.store(0, std::memory_order_relaxed);                                                  // relaxed: hint
    skip_.store(static_cast<std::uint8_t>((1u << failures) - 1u), std::memory_order_relaxed);      // relaxed: hint
  }

  detail::backend::atomic<std::uint32_t> average_{0};  // nanoseconds of successful spins; 0: unknown
  detail::backend::atomic<std::uint8_t> distance_{kUnknown};  // of the last waker and its waiter
  detail::backend::atomic<std::uint8_t> skip_{0};
  detail::backend::atomic<std::uint8_t> failures_{0};
};

// The history of the bucket that `key` hashes to: for primitives that spin on their own word before they park.
SpinHistory& spin_history(const void* key) noexcept;

}  // namespace threading::inline v1::parking
