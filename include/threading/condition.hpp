// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <threading/detail/annotations.hpp>
#include <threading/lock.hpp>
#include <threading/rlock.hpp>

namespace threading::inline v1 {

namespace detail {
// What a condition is over, and whether somebody may be queued there: where one of the words below is among them, in
// bytes. They are no lock's, and never held. A condition points to its one, but over a Lock where nobody waits to that
// lock's word, so that notify() looks at one place only. Told in src/primitives/condition.cpp; programs have it
// compiled in.
THREADING_API extern const LockWord condition_signs[5];
enum class ConditionSign : std::uintptr_t {
  own,
  own_waited_for = sizeof(LockWord),
  rlock = 2 * sizeof(LockWord),
  rlock_waited_for = 3 * sizeof(LockWord),
  lock_waited_for = 4 * sizeof(LockWord)  // all behind it: over a Lock, and nobody waits
};
THREADING_API extern const WaitKind kConditionKind;

// The loop of every wait_for(). `wait(deadline)` returns false once the wait has ended without a notification.
template <class Predicate, class Wait>
auto wait_for(Predicate& predicate, Timeout timeout, Wait wait) {
  Deadline deadline = Deadline::never();
  bool started = false;
  bool last_try = false;
  for (;;) {
    auto result = predicate();
    if (static_cast<bool>(result) || last_try) return result;
    if (!std::exchange(started, true)) {
      deadline = timeout.deadline();  // waits once even if it has passed: others get the lock, misuse is noticed
    } else if (deadline.expired()) {
      return result;
    }
    last_try = !wait(deadline);
  }
}

// Waiting and notifying over any lock, for ConditionOver. Defined in src/primitives/condition.cpp.
THREADING_API WaitOutcome foreign_wait(backend::atomic<std::uint32_t>& word, BeforeSleepRef unlock,
                                       const WaitOptions& options);
THREADING_API void foreign_notify(backend::atomic<std::uint32_t>& word, std::size_t n) noexcept;
}  // namespace detail

// Python's threading.Condition: threads wait, releasing a lock, until others that hold the lock notify them.
//
// A condition over no lock owns a new RLock. Its acquire(), release(), lock() … are the lock's own.
// Promises, not accidents: waiters are notified first come first served; notify(n) wakes exactly min(n, waiters);
// wait() returns only when notified, timed out or stopped.
// Lifetime: may be destroyed while no thread is in wait(). Not copyable, not movable. No allocation, ever.
// Visibility: by the lock.
class THREADING_CAPABILITY("Condition") THREADING_API Condition {
 public:
  Condition() noexcept : word_(word_at(Sign::own)), own_() {}
  // Requires: the lock outlives the condition. Several conditions may share it.
  explicit Condition(Lock& lock) noexcept : word_(&lock.word_), lock_(&lock) {}
  explicit Condition(RLock& lock) noexcept : word_(word_at(Sign::rlock)), rlock_(&lock) {}
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  // The underlying lock's operations, with its results and errors. Its own lock comes first: that one can only be taken
  // here.
  template <class... Args>
    requires requires(Lock& lock, RLock& rlock, Args&&... args) {
      lock.acquire(std::forward<Args>(args)...);
      rlock.acquire(std::forward<Args>(args)...);
    }
  bool acquire(Args&&... args) THREADING_TRY_ACQUIRE(true) THREADING_NO_THREAD_SAFETY_ANALYSIS {
    const Sign sign = this->sign();
    if (is_own(sign)) return own_.acquire(std::forward<Args>(args)...);
    return is_over_lock(sign) ? lock_->acquire(std::forward<Args>(args)...)
                              : rlock_->acquire(std::forward<Args>(args)...);
  }
  bool acquire() THREADING_ACQUIRE() THREADING_NO_THREAD_SAFETY_ANALYSIS {
    const Sign sign = this->sign();
    if (is_own(sign)) return own_.acquire();
    return is_over_lock(sign) ? lock_->acquire() : rlock_->acquire();
  }
  void release() THREADING_RELEASE() THREADING_NO_THREAD_SAFETY_ANALYSIS {
    const Sign sign = this->sign();
    if (is_own(sign)) return own_.release();
    is_over_lock(sign) ? lock_->release() : rlock_->release();
  }
  bool locked() const noexcept {
    // relaxed: as in Lock::locked().
    return detail::is_held(word_of_lock(sign()).load(std::memory_order_relaxed));
  }
  void lock() THREADING_ACQUIRE() { acquire(); }
  bool try_lock() noexcept THREADING_TRY_ACQUIRE(true) THREADING_NO_THREAD_SAFETY_ANALYSIS {
    const Sign sign = this->sign();
    if (is_own(sign)) return own_.try_lock();
    return is_over_lock(sign) ? lock_->try_lock() : rlock_->try_lock();
  }
  void unlock() noexcept THREADING_RELEASE() THREADING_NO_THREAD_SAFETY_ANALYSIS {
    const Sign sign = this->sign();
    if (is_own(sign)) return own_.unlock();
    is_over_lock(sign) ? lock_->unlock() : rlock_->unlock();
  }

  // Releases the lock (every level of an RLock), sleeps until notified or until the timeout passes or stop is
  // requested, takes the lock back (every level) and returns. A timeout that has passed already still releases and
  // takes the lock once.
  // Requires: the calling thread holds the lock.
  // Returns: whether it was notified. Taking the lock back has no bound.
  // Throws: RuntimeError "cannot wait on un-acquired lock"; nothing changes. Blocks.
  bool wait(Timeout timeout = forever) { return wait_until(timeout.deadline(), nullptr); }
  bool wait(Timeout timeout, detail::backend::stop_token stop) { return wait_until(timeout.deadline(), &stop); }

  // Waits until `predicate()` is true. It is called with the lock held, first of all and after each wake-up, and once
  // more after the timeout or the stop request.
  // Returns: the predicate's last value. Throws: as wait(), though not when the predicate is true at once.
  template <class Predicate>
  auto wait_for(Predicate predicate, Timeout timeout = forever) {
    return detail::wait_for(predicate, timeout, [&](Deadline d) { return wait_until(d, nullptr); });
  }
  template <class Predicate>
  auto wait_for(Predicate predicate, Timeout timeout, detail::backend::stop_token stop) {
    return detail::wait_for(predicate, timeout, [&](Deadline d) { return wait_until(d, &stop); });
  }

  // Wakes exactly min(n, waiters) waiting threads, those that wait longest first. They return from wait() one by one
  // as they get the lock back, which the caller still holds. n == 0 does nothing.
  // Requires: the lock is held (an RLock: by the calling thread). Wakes.
  // Throws: RuntimeError "cannot notify on un-acquired lock"; nothing changes.
  void notify(std::size_t n = 1) {
    // relaxed, the first: waiters say that they wait while they hold the lock that the caller holds now. The second: as
    // in Lock::locked(). Held: over a Lock, and nobody waits.
    const detail::LockWord* const seen = word_.load(std::memory_order_relaxed);
    if (detail::is_held(seen->load(std::memory_order_relaxed))) [[likely]]
      return;
    const Sign sign = sign_of(seen);
    if (!may_use(sign)) throw_cannot_notify();
    if (has_waiters(sign) && n != 0) notify_slow(n);
  }
  void notify_all() { notify(SIZE_MAX); }

  [[deprecated("use notify_all()")]] void notifyAll() { notify_all(); }

 private:
  friend struct Embedding;

  using Sign = detail::ConditionSign;

  static const detail::LockWord* word_at(Sign sign) noexcept {
    return &detail::condition_signs[static_cast<std::uintptr_t>(sign) / sizeof(detail::LockWord)];
  }
  static Sign sign_of(const detail::LockWord* word) noexcept {
    // Addresses as numbers: a lock's word lies behind all signs, or before them, which is behind them as well.
    return static_cast<Sign>(reinterpret_cast<std::uintptr_t>(word) - reinterpret_cast<std::uintptr_t>(word_at({})));
  }
  // relaxed: what it is over never changes.
  Sign sign() const noexcept { return sign_of(word_.load(std::memory_order_relaxed)); }
  static bool is_own(Sign sign) noexcept { return sign <= Sign::own_waited_for; }
  static bool is_over_lock(Sign sign) noexcept { return sign >= Sign::lock_waited_for; }
  static bool has_waiters(Sign sign) noexcept {
    return sign == Sign::own_waited_for || sign == Sign::rlock_waited_for || sign == Sign::lock_waited_for;
  }
  void set_waiters(bool has_waiters) noexcept;

  // Requires: what it says; for rlock(), not over a Lock.
  RLock& rlock(Sign sign) noexcept { return is_own(sign) ? own_ : *rlock_; }
  const RLock& rlock(Sign sign) const noexcept { return is_own(sign) ? own_ : *rlock_; }
  detail::LockWord& word_of_lock(Sign sign) noexcept { return is_over_lock(sign) ? lock_->word_ : rlock(sign).word_; }
  const detail::LockWord& word_of_lock(Sign sign) const noexcept {
    return is_over_lock(sign) ? lock_->word_ : rlock(sign).word_;
  }
  // A Lock has no owner, so that anyone may notify while it is held; an RLock's owner is checked.
  bool may_use(Sign sign) const noexcept { return is_over_lock(sign) ? lock_->locked() : rlock(sign).is_owned(); }

  bool wait_until(Deadline deadline, const detail::backend::stop_token* stop);
  // A wait in two halves: first without the lock, then taking it back.
  struct Waited {
    detail::WaitOutcome outcome;
    bool owns;            // the lock came with the wake-up
    bool is_early;        // the notifier is expected to go on under the lock
    std::uint32_t depth;  // what the RLock had counted, to be restored
  };
  Waited wait_released(const detail::WaitOptions& options);
  bool try_take_back(const Waited& waited) noexcept;
  void take_back(const Waited& waited);
  THREADING_COLD void notify_slow(std::size_t n) noexcept;
  [[noreturn]] THREADING_COLD static void throw_cannot_notify();

  detail::backend::atomic<const detail::LockWord*> word_;
  union {
    RLock own_;
    Lock* lock_;
    RLock* rlock_;
  };
};

static_assert(sizeof(Condition) == 8 + sizeof(void*) || sizeof(detail::LockWord) != 4);

// The same over any BasicLockable the user brings (std::mutex …). Ownership cannot be asked of such a lock, so that
// waiting or notifying without holding it is undefined where Condition throws.
template <class L>
class ConditionOver {
 public:
  // Requires: the lock outlives the condition.
  explicit ConditionOver(L& lock) noexcept : lock_(&lock) {}
  ConditionOver(const ConditionOver&) = delete;
  ConditionOver& operator=(const ConditionOver&) = delete;

  // The lock's own operations under both names, so that guards work on the condition. Clang's analysis does not follow
  // them: to it, who holds the condition does not hold the lock.
  void lock() THREADING_NO_THREAD_SAFETY_ANALYSIS { lock_->lock(); }
  void unlock() THREADING_NO_THREAD_SAFETY_ANALYSIS { lock_->unlock(); }
  THREADING_NO_THREAD_SAFETY_ANALYSIS bool try_lock()
    requires requires(L& l) { l.try_lock(); }
  {
    return lock_->try_lock();
  }
  bool acquire() THREADING_NO_THREAD_SAFETY_ANALYSIS {
    lock_->lock();
    return true;
  }
  void release() THREADING_NO_THREAD_SAFETY_ANALYSIS { lock_->unlock(); }

  // As Condition's. Throws: what the lock throws when it is taken back. Blocks.
  bool wait(Timeout timeout = forever) { return wait_until(timeout.deadline(), nullptr); }
  bool wait(Timeout timeout, detail::backend::stop_token stop) { return wait_until(timeout.deadline(), &stop); }
  template <class Predicate>
  auto wait_for(Predicate predicate, Timeout timeout = forever) {
    return detail::wait_for(predicate, timeout, [&](Deadline d) { return wait_until(d, nullptr); });
  }
  template <class Predicate>
  auto wait_for(Predicate predicate, Timeout timeout, detail::backend::stop_token stop) {
    return detail::wait_for(predicate, timeout, [&](Deadline d) { return wait_until(d, &stop); });
  }

  // As Condition's, but wakes the threads at once: they wait for the lock in its own way. Wakes.
  void notify(std::size_t n = 1) {
    // relaxed: waiters say that they wait while they hold the lock that the caller holds now.
    if (word_.load(std::memory_order_relaxed) != 0 && n != 0) detail::foreign_notify(word_, n);
  }
  void notify_all() { notify(SIZE_MAX); }

 private:
  bool wait_until(Deadline deadline, const detail::backend::stop_token* stop) {
    const auto unlock_it = [this]() noexcept { unlock(); };
    const auto outcome = detail::foreign_wait(word_, unlock_it, {.deadline = deadline, .stop = stop});
    lock();
    return outcome == detail::WaitOutcome::ok;
  }

  L* lock_;
  detail::backend::atomic<std::uint32_t> word_{0};
};

}  // namespace threading::inline v1
