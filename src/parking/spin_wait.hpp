// SPDX-License-Identifier: MIT
//
// The one backoff policy. Sleeping and waking through the kernel costs thousands of nanoseconds and, when the
// processor has gone idle, tens of thousands; what a thread waits for often happens sooner. But spinning steals the
// time of the very thread that must act when both share a processor. So how a thread waits before it sleeps depends on
// where the last wake-up in its bucket came from:
//
//   another processor than the waiter's, or unknown: a short spin that only pauses, then one that offers the processor
//   to others at each turn, together for kSpinLimit. Not with a single processor. Pauses answer fastest; the offers let
//   whoever must act run when there are more threads than processors.
//
//   the same processor: the waiter, once queued, offers the processor a few times. Where nothing but the other side
//   wants to run, giving way costs two thirds of going to sleep and being woken, and a waker that finds its waiter
//   awake makes no system call, after which the kernel would rather run the woken thread than let the waker go on.
//
//   as many threads at once as there are processors, or more: the waiter, once queued, offers the processor until
//   kSpinLimit. Pauses would keep it from those that everybody waits for.
//
// A wait that ended in neither way has failed: the next 1, 3, 7 … 63 waits at the bucket sleep at once. A thread that
// offered the processor and got it back late has met a third party that computes, which the kernel lets run for
// milliseconds: for the next kCrowdedFor waits nothing is offered; between processors the spin only pauses, on the same
// one the thread sleeps.
//
// Two threads that answer each other have two stable ways to live on two processors: both awake, a hundred nanoseconds
// a turn, or both asleep, where each turn waits for a wake-up through the kernel. Only a spin that is longer than such
// a wake-up leads from the second to the first. Hence the limit.
//
// Fields are hints shared by all that hash to a bucket: relaxed everywhere, and a lost update costs a spin.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <threading/detail/backend.hpp>
#include <threading/detail/deadline.hpp>

namespace threading::inline v1::parking {

// A little more than one wake-up of an idle processor through the kernel (20–45 µs on the virtual machines we
// measured). Nanoseconds.
inline constexpr std::int64_t kSpinLimit = 50'000;

class SpinHistory {
 public:
  // Waits until `done()`, or until the policy says that sleeping is better, or the deadline has passed. For a thread
  // that is queued already: nobody overtakes it while it gives way.
  // Returns: whether it is done.
  template <class Done>
  bool linger(Done done, Deadline deadline, int longest_pause = 1) noexcept {
    const Company company = company_.load(std::memory_order_relaxed);  // relaxed: hint
    const bool apart = may_be_apart(company);
    if (apart && detail::backend::cpu_count() < 2) return false;
    if (skips()) return false;
    const bool crowded = is_crowded();
    if (crowded && !apart) return false;
    if (int first = 1; apart && pause_a_moment(done, longest_pause, first)) {
      succeeded();
      return true;
    }
    const std::int64_t start = detail::backend::monotonic_now();
    const std::int64_t limit = std::min(start + kSpinLimit, deadline.nanoseconds());
    if (apart && pause(done, crowded ? limit : std::min(start + pauses(), limit), longest_pause)) {
      remember(detail::backend::monotonic_now() - start);
      return true;
    }
    for (int left = crowded ? 0 : company == Company::same ? kOffers : kManyOffers; left != 0; --left) {
      const std::int64_t before = detail::backend::monotonic_now();
      if (before >= limit) break;
      detail::backend::yield();
      const bool is_done = done();
      if (detail::backend::monotonic_now() - before > kLate) found_crowded();
      if (is_done) {
        // Whoever acted could do so when it was offered this processor. If that guess is wrong, the next wait is
        // queued, and its waker knows better.
        if (apart) keep_company(Company::same);
        succeeded();
        return true;
      }
    }
    failed();
    return false;
  }

  // The same for a thread that is not queued, which therefore never gives way to one on its own processor.
  template <class Done>
  bool spin(Done done, Deadline deadline = Deadline::never(), int longest_pause = 1) noexcept {
    return may_be_apart(company_.load(std::memory_order_relaxed)) &&
           linger(done, deadline, longest_pause);  // relaxed: hint
  }

  // By whoever wakes or moves `count` threads here, the first of which waited on `waiter_cpu` (current_cpu()). It does
  // not do to remember the waker alone: where two threads wake each other through one bucket, the last waker is the one
  // that waits next.
  void note_wake(int waiter_cpu, std::size_t count) noexcept {
    const int cpu = detail::backend::current_cpu();
    if (count > 1 && count >= static_cast<std::size_t>(detail::backend::cpu_count())) {
      keep_company(Company::many);
    } else if (cpu < 0 || waiter_cpu < 0) {
      keep_company(Company::unknown);
    } else {
      keep_company(cpu == waiter_cpu ? Company::same : Company::apart);
    }
  }

  void reset_after_fork() noexcept {
    skip_.store(0, std::memory_order_relaxed);                    // relaxed: one thread is left
    failures_.store(0, std::memory_order_relaxed);                // relaxed: as above
    average_.store(0, std::memory_order_relaxed);                 // relaxed: as above
    crowded_.store(0, std::memory_order_relaxed);                 // relaxed: as above
    company_.store(Company::unknown, std::memory_order_relaxed);  // relaxed: as above
  }

 private:
  // Of the last wake-up.
  enum class Company : std::uint8_t { unknown, same, apart, many };

  static constexpr int kPausesPerClockRead = 16;
  static constexpr std::int64_t kFirstPauses = 2'000;  // nanoseconds, while nothing is known
  static constexpr std::int64_t kMostPauses = 10'000;  // nanoseconds
  static constexpr int kOffers = 4;
  static constexpr int kManyOffers = 1'000;            // until kSpinLimit, that is
  static constexpr std::int64_t kLate = 50'000;        // nanoseconds; a dozen threads' turns of a few µs are no crowd
  static constexpr std::uint16_t kCrowdedFor = 1'023;  // waits
  static constexpr std::uint8_t kMaxFailures = 6;      // 2^6 - 1 = 63 waits skipped

  static bool may_be_apart(Company company) noexcept {
    return company == Company::unknown || company == Company::apart;
  }

  void keep_company(Company company) noexcept {
    // relaxed: hint. Read first: threads that spin here would lose the line at every wake-up.
    if (company_.load(std::memory_order_relaxed) != company) company_.store(company, std::memory_order_relaxed);
  }

  bool skips() noexcept {
    const std::uint8_t skip = skip_.load(std::memory_order_relaxed);  // relaxed: hint
    if (skip == 0) return false;
    skip_.store(static_cast<std::uint8_t>(skip - 1), std::memory_order_relaxed);  // relaxed: hint
    return true;
  }

  // Looks after 1, 2, 4 … `longest` pauses, a few of them without looking at the clock: each look at a word that others
  // write takes its line away from them.
  template <class Done>
  static bool pause_a_moment(Done done, int longest, int& pauses) noexcept {
    for (int left = kPausesPerClockRead; left > 0; left -= pauses) {
      if (done()) return true;
      for (int i = 0; i != pauses; ++i) detail::backend::cpu_relax();
      pauses = std::min(2 * pauses, longest);
    }
    return false;
  }

  template <class Done>
  static bool pause(Done done, std::int64_t until, int longest) noexcept {
    int pauses = longest;
    do {
      if (pause_a_moment(done, longest, pauses)) return true;
    } while (detail::backend::monotonic_now() < until);
    return false;
  }

  // How long to pause: four times what it took on average.
  std::int64_t pauses() const noexcept {
    const std::int64_t average = average_.load(std::memory_order_relaxed);  // relaxed: hint
    return average == 0 ? kFirstPauses : std::min(4 * average + 1'000, kMostPauses);
  }

  void remember(std::int64_t took) noexcept {
    const std::int64_t average = average_.load(std::memory_order_relaxed);  // relaxed: hint
    // A running average over about eight spins; at least 1, since 0 means unknown.
    const std::int64_t next = average == 0 ? took + 1 : average + (took - average) / 8;
    average_.store(static_cast<std::uint32_t>(next < 1 ? 1 : next), std::memory_order_relaxed);  // relaxed: hint
    succeeded();
  }

  void succeeded() noexcept {
    // relaxed: hint. Read first, as above.
    if (failures_.load(std::memory_order_relaxed) != 0) failures_.store(0, std::memory_order_relaxed);
  }

  void failed() noexcept {
    const std::uint8_t seen = failures_.load(std::memory_order_relaxed);  // relaxed: hint
    const auto failures = static_cast<std::uint8_t>(seen < kMaxFailures ? seen + 1 : kMaxFailures);
    failures_.store(failures, std::memory_order_relaxed);                                      // relaxed: hint
    skip_.store(static_cast<std::uint8_t>((1u << failures) - 1u), std::memory_order_relaxed);  // relaxed: hint
  }

  bool is_crowded() noexcept {
    const std::uint16_t left = crowded_.load(std::memory_order_relaxed);  // relaxed: hint
    if (left == 0) return false;
    crowded_.store(static_cast<std::uint16_t>(left - 1), std::memory_order_relaxed);  // relaxed: hint
    return true;
  }

  void found_crowded() noexcept { crowded_.store(kCrowdedFor, std::memory_order_relaxed); }  // relaxed: hint

  detail::backend::atomic<std::uint32_t> average_{0};  // nanoseconds of pauses that succeeded; 0: unknown
  detail::backend::atomic<Company> company_{Company::unknown};
  detail::backend::atomic<std::uint16_t> crowded_{0};  // waits left that offer nothing
  detail::backend::atomic<std::uint8_t> skip_{0};      // waits left that sleep at once
  detail::backend::atomic<std::uint8_t> failures_{0};
};

// The history of the bucket that `key` hashes to: for primitives that spin on their own word before they park.
SpinHistory& spin_history(const void* key) noexcept;

}  // namespace threading::inline v1::parking
