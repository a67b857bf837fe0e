// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <type_traits>

#include <threading/detail/annotations.hpp>
#include <threading/detail/lock_word.hpp>
#include <threading/errors.hpp>
#include <threading/timeout.hpp>

namespace threading::inline v1 {

// Python's threading.Lock: a mutual-exclusion lock that no thread owns. Any thread may release it.
//
// State      | acquire            | release        | locked
// unlocked   | locks, true        | RuntimeError   | false
// locked     | blocks             | unlocks        | true
//
// Meets the standard's TimedLockable: std::scoped_lock, std::unique_lock and std::lock work on it.
// Not copyable, not movable. Constant-initialised: usable as a global before any constructor runs.
// Lifetime: may be destroyed in any state while no thread is blocked in it, also by a thread right after the release
// that let it in.
// Visibility: what a thread did before release() is seen by the thread whose acquire() follows.
// Fairness: a thread that arrives may overtake queued ones; but once a millisecond the lock is handed to the first of
// them, if that one has waited for as long.
class THREADING_CAPABILITY("Lock") THREADING_API Lock {
 public:
  constexpr Lock() noexcept {
    if (!std::is_constant_evaluated()) detail::distrust(&word_);  // where another may have ended, held
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  // Locks. Returns: true. Blocks until the lock is free.
  bool acquire() THREADING_ACQUIRE() {
    if (!detail::try_take(word_, detail::thread_token_hint())) acquire_slow(forever, nullptr);
    return true;
  }

  // acquire(true) blocks as acquire(); acquire(false) does not block. Returns: whether the lock was taken.
  // The parameter is exactly bool: an integer does not compile.
  template <std::same_as<bool> Blocking>
  bool acquire(Blocking blocking) THREADING_TRY_ACQUIRE(true) {
    return blocking ? acquire() : try_lock();
  }

  // Returns: whether the lock was taken before the timeout. Blocks.
  // Throws: ValueError "can't specify a timeout for a non-blocking call" when `blocking` is false and the timeout is
  // not `forever`; ValueError "timeout value must be a non-negative number" for a negative number other than -1.0,
  // which means for ever. A bad timeout throws also when the lock is free.
  template <std::same_as<bool> Blocking>
  bool acquire(Blocking blocking, Timeout timeout) THREADING_TRY_ACQUIRE(true) {
    return acquire(detail::lock_timeout(blocking, timeout));
  }
  bool acquire(Timeout timeout) THREADING_TRY_ACQUIRE(true) {
    const Timeout bound = detail::lock_timeout(timeout);
    return detail::try_take(word_, detail::thread_token_hint()) || acquire_slow(bound, nullptr);
  }

  // As acquire(timeout); returns false as well when stop is requested first. A free lock is taken even then.
  bool acquire(Timeout timeout, detail::backend::stop_token stop) THREADING_TRY_ACQUIRE(true) {
    const Timeout bound = detail::lock_timeout(timeout);
    return detail::try_take(word_, detail::thread_token_hint()) || acquire_slow(bound, &stop);
  }

  // Unlocks; exactly one of the threads blocked in acquire() proceeds. Any thread may call it. Wakes.
  // Throws: RuntimeError "release unlocked lock"; the lock is unchanged.
  void release() THREADING_RELEASE() {
    if (!detail::give_back(word_, detail::thread_token_hint())) release_slow();
  }

  // Returns: whether the lock is held by anyone at this moment.
  bool locked() const noexcept {
    // relaxed: the answer may be old by the time it arrives; nothing is read because of it.
    return detail::is_held(word_.load(std::memory_order_relaxed));
  }

  // The standard's spelling.
  void lock() THREADING_ACQUIRE() { acquire(); }
  bool try_lock() noexcept THREADING_TRY_ACQUIRE(true) {
    // The answer of one look comes in line: beside an exchange the jump to it costs nothing. Who fails needs no token.
    if (locked()) [[likely]]
      return false;
    return detail::try_take(word_, detail::thread_token_hint());
  }
  template <class Rep, class Period>
  bool try_lock_for(const std::chrono::duration<Rep, Period>& d) THREADING_TRY_ACQUIRE(true) {
    return acquire(detail::timeout_for(d));
  }
  template <class Clock, class Duration>
  bool try_lock_until(const std::chrono::time_point<Clock, Duration>& t) THREADING_TRY_ACQUIRE(true) {
    return acquire(detail::timeout_until(t));
  }
  // release() for guards' destructors. Requires: locked; otherwise the process ends with a message that names the
  // lock and the thread.
  void unlock() noexcept THREADING_RELEASE() {
    if (!detail::give_back(word_, detail::thread_token_hint())) unlock_slow();
  }

 private:
  friend class Condition;
  friend struct Embedding;

  THREADING_COLD bool acquire_slow(Timeout bound, const detail::backend::stop_token* stop);
  THREADING_COLD void release_slow();
  THREADING_COLD void unlock_slow() noexcept;

  detail::LockWord word_{0};
};

static_assert(sizeof(Lock) == 4 || sizeof(detail::LockWord) != 4);

}  // namespace threading::inline v1
