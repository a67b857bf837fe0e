// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>

#include <threading/detail/annotations.hpp>
#include <threading/detail/lock_word.hpp>
#include <threading/errors.hpp>
#include <threading/timeout.hpp>

namespace threading::inline v1 {

// Python's threading.RLock: a lock that its owner may acquire again; it is free after as many releases.
//
// State           | acquire by owner | acquire by another | release by owner | release by another
// unlocked        | –                | locks, depth 1     | –                | RuntimeError
// locked, depth n | depth n + 1      | blocks             | depth n - 1      | RuntimeError
//
// Everything Lock says about the standard's concepts, initialisation, lifetime, visibility and fairness holds here.
// Python: locked() exists from 3.14 on.
class THREADING_CAPABILITY("RLock") THREADING_API RLock {
 public:
  constexpr RLock() noexcept = default;
  RLock(const RLock&) = delete;
  RLock& operator=(const RLock&) = delete;

  // Takes the lock, or one more level of it. Returns: true. Blocks while another thread owns it.
  // Throws: OverflowError "Internal lock count overflowed" at 2^32 - 1 levels; the depth is unchanged.
  bool acquire() THREADING_ACQUIRE() {
    const detail::ThreadToken self = detail::thread_token();
    if (reenter(self)) return true;
    if (!detail::try_take(word_, self)) acquire_slow(self, forever, nullptr);
    return true;
  }

  // See Lock for the parameters and their errors.
  template <std::same_as<bool> Blocking>
  bool acquire(Blocking blocking) THREADING_TRY_ACQUIRE(true) {
    return acquire(blocking ? forever : no_wait);
  }
  template <std::same_as<bool> Blocking>
  bool acquire(Blocking blocking, Timeout timeout) THREADING_TRY_ACQUIRE(true) {
    return acquire(detail::lock_timeout(blocking, timeout));
  }
  bool acquire(Timeout timeout) THREADING_TRY_ACQUIRE(true) { return acquire_bounded(timeout, nullptr); }
  bool acquire(Timeout timeout, detail::backend::stop_token stop) THREADING_TRY_ACQUIRE(true) {
    return acquire_bounded(timeout, &stop);
  }

  // Gives one level back; the last one frees the lock. Wakes.
  // Throws: RuntimeError "cannot release un-acquired lock" unless the calling thread owns it; nothing changes.
  void release() THREADING_RELEASE() {
    if (!is_owned()) throw_not_owned();
    give_level_back();
  }

  // Returns: whether any thread owns the lock at this moment.
  bool locked() const noexcept {
    // relaxed: as in Lock::locked().
    return detail::is_held(word_.load(std::memory_order_relaxed));
  }

  // The standard's spelling.
  void lock() THREADING_ACQUIRE() { acquire(); }
  bool try_lock() noexcept THREADING_TRY_ACQUIRE(true) {
    const detail::ThreadToken self = detail::thread_token();
    // relaxed: only this thread can make the answer "self".
    if (detail::owner_of(word_.load(std::memory_order_relaxed)) == self) {
      if (depth_beyond_first() == kMostBeyondFirst) return false;
      set_depth_beyond_first(depth_beyond_first() + 1);
      return true;
    }
    return detail::try_take_polite(word_, self);
  }
  template <class Rep, class Period>
  bool try_lock_for(const std::chrono::duration<Rep, Period>& d) THREADING_TRY_ACQUIRE(true) {
    return acquire(detail::timeout_for(d));
  }
  template <class Clock, class Duration>
  bool try_lock_until(const std::chrono::time_point<Clock, Duration>& t) THREADING_TRY_ACQUIRE(true) {
    return acquire(detail::timeout_until(t));
  }
  // Requires: owned by the calling thread; otherwise the process ends with a message.
  void unlock() noexcept THREADING_RELEASE() {
    if (!is_owned()) die_not_owned();
    give_level_back();
  }

 private:
  friend class Condition;
  friend struct Embedding;

  static constexpr std::uint32_t kMostBeyondFirst = UINT32_MAX - 1;

  // relaxed in both: only the owner writes it, and others read it for display.
  std::uint32_t depth_beyond_first() const noexcept { return depth_.load(std::memory_order_relaxed); }
  void set_depth_beyond_first(std::uint32_t depth) noexcept { depth_.store(depth, std::memory_order_relaxed); }

  bool is_owned() const noexcept {
    // relaxed: only this thread can make the answer "self", so no other write can be mistaken for it.
    const std::uint32_t word = word_.load(std::memory_order_relaxed);
    const detail::ThreadToken self = detail::thread_token_hint();
    return self != 0 && detail::owner_of(word) == self;
  }
  bool reenter(detail::ThreadToken self) {
    // relaxed: as in is_owned().
    if (detail::owner_of(word_.load(std::memory_order_relaxed)) != self) return false;
    if (depth_beyond_first() == kMostBeyondFirst) throw_too_deep();
    set_depth_beyond_first(depth_beyond_first() + 1);
    return true;
  }
  bool acquire_bounded(Timeout timeout, const detail::backend::stop_token* stop) {
    const Timeout bound = detail::lock_timeout(timeout);
    const detail::ThreadToken self = detail::thread_token();
    if (reenter(self)) return true;
    return detail::try_take_polite(word_, self) || acquire_slow(self, bound, stop);
  }
  void give_level_back() noexcept {
    if (const std::uint32_t beyond = depth_beyond_first(); beyond != 0) return set_depth_beyond_first(beyond - 1);
    if (!detail::give_back(word_, detail::thread_token_hint())) unlock_slow();
  }

  THREADING_COLD bool acquire_slow(detail::ThreadToken self, Timeout bound, const detail::backend::stop_token* stop);
  THREADING_COLD void unlock_slow() noexcept;
  [[noreturn]] THREADING_COLD void throw_not_owned() const;
  [[noreturn]] THREADING_COLD void throw_too_deep() const;
  [[noreturn]] THREADING_COLD void die_not_owned() const noexcept;

  detail::LockWord word_{0};
  detail::backend::atomic<std::uint32_t> depth_{0};  // levels beyond the first; written by the owner only
};

static_assert(sizeof(RLock) == 8 || sizeof(detail::LockWord) != 4);

}  // namespace threading::inline v1
