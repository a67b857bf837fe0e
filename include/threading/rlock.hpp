// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

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
  constexpr RLock() noexcept {
    if (!std::is_constant_evaluated()) detail::distrust(&word_);  // where another may have ended, held
  }
  RLock(const RLock&) = delete;
  RLock& operator=(const RLock&) = delete;

  // Takes the lock, or one more level of it. Returns: true. Blocks while another thread owns it.
  // Throws: OverflowError "Internal lock count overflowed" at 2^32 - 1 levels; the depth is unchanged.
  bool acquire() THREADING_ACQUIRE() {
    if (!enter()) acquire_slow(forever, nullptr);
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
    if (!give_level_back()) throw_not_owned();
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
    const std::uint32_t word = word_.load(std::memory_order_relaxed);
    if (detail::owner_of(word) != self) return !detail::is_held(word) && detail::try_take(word_, self);
    return add_level(counted_depth());
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
    if (!give_level_back()) die_not_owned();
  }

 private:
  friend class Condition;
  friend struct Embedding;

  // relaxed in both: only the owner writes it, and others read it as a hint or for display.
  std::uint32_t counted_depth() const noexcept { return depth_.load(std::memory_order_relaxed); }
  void count_depth(std::uint32_t depth) noexcept { depth_.store(depth, std::memory_order_relaxed); }

  // Returns: false when there is no room for one more.
  bool add_level(std::uint32_t counted) noexcept {
    const std::uint32_t more = counted + 1;
    if (more == 0) [[unlikely]]
      return false;
    count_depth(counted == 0 ? 2 : more);
    return true;
  }

  bool is_owned() const noexcept {
    // relaxed: only this thread can make the answer "self", so no other write can be mistaken for it.
    const std::uint32_t word = word_.load(std::memory_order_relaxed);
    // A thread without a token owns nothing: no RLock's word says "held by 0".
    return (word & ~detail::kParked) == detail::held_by(detail::thread_token_hint());
  }
  // Takes a free lock, or one more level. Returns: false when another thread owns it.
  // It guesses that a lock nobody has re-entered is free: a look at a word that was exchanged a moment ago waits for
  // that exchange to reach the cache, and the next exchange then waits for the look.
  // The next level is what may be called likely, here and in give_level_back(): its code then lies in a straight line
  // if each condition says so by itself. Up and down take .73 ns instead of .95; a first level has the time of its
  // exchange for a jump.
  bool enter() {
    const std::uint32_t counted = counted_depth();
    if (counted != 0) [[likely]] {
      if (is_owned()) [[likely]] {
        if (!add_level(counted)) throw_too_deep();
        return true;
      }
    }
    if (detail::try_take(word_, detail::thread_token())) return true;
    const bool is_second_level = is_owned();
    if (is_second_level) add_level(0);
    return is_second_level;
  }
  bool acquire_bounded(Timeout timeout, const detail::backend::stop_token* stop) {
    const Timeout bound = detail::lock_timeout(timeout);
    return enter() || acquire_slow(bound, stop);
  }
  // Returns: false when the calling thread does not own the lock; nothing has changed then.
  // With one level only, the exchange that frees the lock asks also who owns it; nobody owns one under the token 0.
  bool give_level_back() noexcept {
    const std::uint32_t counted = counted_depth();
    if (counted == 0) [[unlikely]] {
      if (detail::give_back(word_, detail::thread_token_hint())) return true;
    }
    if (!is_owned()) [[unlikely]]
      return false;
    const std::uint32_t left = counted == 0 ? 0 : counted - 1;
    if (left != 0) [[likely]] {
      count_depth(left);
    } else {
      give_last_level_back();
    }
    return true;
  }
  // Requires: owned.
  void give_last_level_back() noexcept {
    count_depth(0);
    if (!detail::give_back(word_, detail::thread_token_hint())) unlock_slow();
  }

  THREADING_COLD bool acquire_slow(Timeout bound, const detail::backend::stop_token* stop);
  THREADING_COLD void unlock_slow() noexcept;
  [[noreturn]] THREADING_COLD void throw_not_owned() const;
  [[noreturn]] THREADING_COLD void throw_too_deep() const;
  [[noreturn]] THREADING_COLD void die_not_owned() const noexcept;

  detail::LockWord word_{0};
  // 0 until the owner has taken a second level; from then on, until the last level is given back, how many there are.
  // Written by the owner only.
  detail::backend::atomic<std::uint32_t> depth_{0};
};

static_assert(sizeof(RLock) == 8 || sizeof(detail::LockWord) != 4);

}  // namespace threading::inline v1
