// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <threading/detail/lock_word.hpp>
#include <threading/errors.hpp>
#include <threading/timeout.hpp>

namespace threading::inline v1 {

namespace detail {

THREADING_API extern const WaitKind kSemaphoreKind;

// What Semaphore and BoundedSemaphore share. The word is told in src/primitives/semaphore.cpp.
class THREADING_API SemaphoreCore {
 public:
  SemaphoreCore(const SemaphoreCore&) = delete;
  SemaphoreCore& operator=(const SemaphoreCore&) = delete;

  // Takes one from the counter. Returns: true. Blocks while the counter is zero.
  bool acquire() {
    // A guess rather than a look, at the counter most semaphores have: a look at a word that was exchanged a moment ago
    // waits for that exchange to reach the cache, and the next exchange then waits for the look.
    if (!take_unit(1)) acquire_slow(forever, nullptr);
    return true;
  }
  // acquire(false) does not block. Returns: whether one was taken. The parameter is exactly bool.
  template <std::same_as<bool> Blocking>
  bool acquire(Blocking blocking) {
    return blocking ? acquire() : try_acquire();
  }
  // Returns: whether one was taken before the timeout; a negative number of seconds has passed. Blocks.
  // Throws: ValueError "can't specify timeout for non-blocking acquire" when `blocking` is false and the timeout is
  // not `forever`.
  template <std::same_as<bool> Blocking>
  bool acquire(Blocking blocking, Timeout timeout) {
    if (blocking) return acquire(timeout);
    if (!timeout.is_forever()) throw_timeout_without_blocking();
    return try_acquire();
  }
  bool acquire(Timeout timeout) { return try_acquire() || acquire_slow(timeout, nullptr); }
  // Returns false as well when stop is requested first; a free unit is taken even then.
  bool acquire(Timeout timeout, backend::stop_token stop) { return try_acquire() || acquire_slow(timeout, &stop); }

  // The look-alikes of std::counting_semaphore.
  bool try_acquire() noexcept {
    return take_unit(word_.load(std::memory_order_relaxed));  // relaxed: the exchange decides
  }
  template <class Rep, class Period>
  bool try_acquire_for(const std::chrono::duration<Rep, Period>& d) {
    return acquire(timeout_for(d));
  }
  template <class Clock, class Duration>
  bool try_acquire_until(const std::chrono::time_point<Clock, Duration>& t) {
    return acquire(timeout_until(t));
  }

  // Returns: the counter at this moment.
  std::ptrdiff_t value() const noexcept {
    // relaxed: the answer may be old by the time it arrives.
    const Word word = word_.load(std::memory_order_relaxed);
    return static_cast<std::ptrdiff_t>(static_cast<std::uint64_t>(counter_of(word)));
  }

 protected:
  // Told in src/primitives/semaphore.cpp. Programs have it compiled in: it is part of the binary interface.
  using Word = std::int64_t;
  static constexpr Word kMaxValue = std::numeric_limits<std::ptrdiff_t>::max();
  // Added to the counter while somebody may be queued.
  static constexpr Word kWaiters = std::numeric_limits<Word>::min() / 2;
  // The counter is zero, somebody may be queued, and the next unit is for the first.
  static constexpr Word kOwed = kWaiters - 1;

  // Throws: ValueError "semaphore initial value must be >= 0".
  explicit SemaphoreCore(std::ptrdiff_t value) : word_(checked(value)) {}
  ~SemaphoreCore() = default;

  // Adds n unless the counter would pass `limit`. Returns: whether it was added.
  // Throws: ValueError "n must be one or more".
  bool release_up_to(std::ptrdiff_t n, Word limit) {
    if (n < 1) throw_bad_count();
    // A guess, at what acquire() leaves behind if its own was right. Between processors a look would fetch the word's
    // line once, and the exchange once more.
    Word seen = 0;
    while (seen >= 0) {
      if (n > limit || seen > limit - n) return false;
      // release pairs with the acquire in take_unit(). relaxed on failure: tried again.
      if (word_.compare_exchange_weak(seen, seen + n, std::memory_order_release, std::memory_order_relaxed))
        return true;
    }
    return release_slow(n, limit, false);
  }

  // The same for PTRDIFF_MAX as limit.
  bool release_any(std::ptrdiff_t n) {
    // Elsewhere the word goes on where the counter must not.
    constexpr bool kEndsWithWord = kMaxValue == std::numeric_limits<Word>::max();
    if (n != 1 || !kEndsWithWord) return release_up_to(n, kMaxValue);
    // Adds before it knows whether it may: if the word is negative now, somebody waits or the counter was at its end.
    // Unlike a comparison the addition cannot fail. release pairs with the acquire in take_unit().
    const Word before = word_.fetch_add(1, std::memory_order_release);
    return (before >= 0 && before != kMaxValue) || added_slow(before);
  }

 private:
  friend struct threading::v1::Embedding;

  static constexpr bool has_unit(Word word) noexcept { return word != 0 && word != kWaiters && word != kOwed; }
  static constexpr bool is_too_large(Word word) noexcept { return word < kOwed; }
  static constexpr Word counter_of(Word word) noexcept {
    return word >= 0 ? word : is_too_large(word) ? kMaxValue : word == kOwed ? 0 : word - kWaiters;
  }
  // Of the least number: the greatest, which is what the counter was before.
  static constexpr Word one_less(Word word) noexcept { return static_cast<Word>(static_cast<std::uint64_t>(word) - 1); }

  // Takes one from the counter, unless it is zero. `seen` is what the word seems to be.
  bool take_unit(Word seen) noexcept {
    while (has_unit(seen)) {
      // acquire pairs with the release of the thread whose unit this is. relaxed on failure: tried again.
      if (word_.compare_exchange_weak(seen, one_less(seen), std::memory_order_acquire, std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  static Word checked(std::ptrdiff_t value) {
    if (value < 0) throw_bad_initial_value();
    return value;
  }

  THREADING_COLD bool acquire_slow(Timeout timeout, const backend::stop_token* stop);
  WaitOutcome wait_slow(const WaitOptions& options);
  THREADING_COLD bool release_slow(Word count, Word limit, bool is_added) noexcept;
  THREADING_COLD bool added_slow(Word before) noexcept;
  [[noreturn]] THREADING_COLD static void throw_bad_initial_value();
  [[noreturn]] THREADING_COLD static void throw_bad_count();
  [[noreturn]] THREADING_COLD static void throw_timeout_without_blocking();

  backend::atomic<Word> word_;
};

[[noreturn]] THREADING_API void throw_semaphore_overflow();
[[noreturn]] THREADING_API void throw_released_too_often();

}  // namespace detail

// Python's threading.Semaphore: a counter that acquire() takes from and release() adds to; it never goes below zero.
//
// Not copyable, not movable. No allocation, ever.
// Lifetime: may be destroyed while no thread is blocked in it, also by a thread right after the release() that let
// it in.
// Visibility: what a thread did before release() is seen by the threads that take those units.
// Fairness: units go to whoever comes; but once a millisecond a release gives its own directly to those who are first,
// if the first has waited for as long; if a newcomer was faster, the next release does.
class THREADING_API Semaphore : public detail::SemaphoreCore {
 public:
  // Throws: ValueError "semaphore initial value must be >= 0".
  explicit Semaphore(std::ptrdiff_t value = 1) : SemaphoreCore(value) {}

  // Adds n to the counter and lets as many waiting threads proceed. Wakes.
  // Throws: ValueError "n must be one or more"; OverflowError "semaphore value too large" when the counter would
  // pass PTRDIFF_MAX. The counter is unchanged then.
  void release(std::ptrdiff_t n = 1) {
    if (!release_any(n)) detail::throw_semaphore_overflow();
  }
};

// Python's threading.BoundedSemaphore: a Semaphore whose counter never passes its initial value.
class THREADING_API BoundedSemaphore : public detail::SemaphoreCore {
 public:
  // Throws: ValueError "semaphore initial value must be >= 0".
  explicit BoundedSemaphore(std::ptrdiff_t value = 1) : SemaphoreCore(value), initial_value_(value) {}

  // Adds n to the counter and lets as many waiting threads proceed. Wakes.
  // Throws: ValueError "n must be one or more"; ValueError "Semaphore released too many times" when the counter
  // would pass its initial value. The counter is unchanged then.
  void release(std::ptrdiff_t n = 1) {
    if (!release_up_to(n, initial_value_)) detail::throw_released_too_often();
  }

  // Returns: the counter's initial value, which is its bound.
  std::ptrdiff_t initial_value() const noexcept { return initial_value_; }

 private:
  std::ptrdiff_t initial_value_;
};

static_assert(sizeof(Semaphore) == 8 || sizeof(detail::backend::atomic<std::int64_t>) != 8);

}  // namespace threading::inline v1
