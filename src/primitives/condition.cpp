// SPDX-License-Identifier: MIT
//
// Word     the address of what notify() looks at. Over a Lock where nobody waits: of the lock's word; if that one is
//          held, there is nothing to do. Else one of condition_signs, which never look held: which of them says what
//          the condition is over, and whether somebody waits. So a notification in vain takes two loads and one jump.
// States   nobody waits · somebody waits, or the last waiter has just gone.
// Moves    wait: says under the bucket's lock that somebody waits, while queuing, and once it has released the lock
//          tells those that contend for it (first_look.hpp). notify, leave: take it back under the bucket's lock when
//          the queue is empty.
// I1       Whenever somebody is queued the word says so (it changes only under the bucket's lock). So a notifier that
//          finds that nobody waits, while it holds the lock, has nobody to wake: waiters queue up before they release
//          the lock.
// I2       A waiter is queued before the lock is released, so no notification by a later holder can miss it.
// I3       notify moves waiters to the lock's own queue and marks the lock's word, instead of waking threads that would
//          only run into the held lock. From then on a waiter has been notified: timeout and stop no longer count, it
//          only waits for the lock (the lot's I3).
// I4       If the lock is free at that moment (a Lock may be released by others meanwhile), the first is woken and the
//          rest moved; the lock's word is marked either way, so that the next release goes on.
// Orders   All relaxed: the lock orders what users see, the bucket's lock orders the queues. Of what the
//          word points to only a lock's word is ever written.
// Destroy  notify touches the condition only under the bucket's lock, before anyone can return from wait().
//
// Over a foreign lock (ConditionOver) there is no word to queue on: notify wakes, and the woken call lock() themselves.
// Its own word is 1 where the other's says that somebody waits, or else 0.
#include <threading/condition.hpp>

#include "parking/release_mode.hpp"
#include "parking/spin_wait.hpp"

namespace threading::inline v1 {
namespace {

using detail::WaitOptions;
using detail::WaitOutcome;
using Word = detail::backend::atomic<std::uint32_t>;

// `set_waiters(bool)`: writes to the word at `key` whether somebody waits.
template <class SetWaiters>
ParkResult park_at(const void* key, SetWaiters set_waiters, detail::BeforeSleepRef before_sleep,
                   const WaitOptions& options) {
  return park(
      key, detail::kConditionKind,
      [&]() noexcept {
        set_waiters(true);
        return true;
      },
      before_sleep,
      [&](bool has_more, LeaveReason) noexcept {
        if (!has_more) set_waiters(false);
      },
      {.deadline = options.deadline,
       .interruptible = options.interruptible,
       .on_signal = options.on_signal,
       .stop = options.stop});
}

WaitOutcome outcome_of(ParkOutcome outcome) noexcept {
  switch (outcome) {
    case ParkOutcome::woken:
    case ParkOutcome::changed: return WaitOutcome::ok;
    case ParkOutcome::timed_out: return WaitOutcome::timed_out;
    case ParkOutcome::interrupted: break;
  }
  return WaitOutcome::interrupted;
}

// Under the bucket's lock of the lock: whether it is held, and marked so that its release comes through the queue.
// A free lock is marked as well: whoever takes it next keeps the mark.
bool mark_for_queue(detail::LockWord& lock) noexcept {
  // relaxed: under the bucket's lock of the lock.
  return detail::is_held(lock.fetch_or(detail::kParked, std::memory_order_relaxed));
}

}  // namespace

namespace detail {

const WaitKind kConditionKind{"Condition", nullptr};

constinit const LockWord condition_signs[] = {0, 0, 0, 0, 0};

WaitOutcome foreign_wait(Word& word, BeforeSleepRef unlock, const WaitOptions& options) {
  // relaxed: the word changes only under the bucket's lock (I1).
  const auto set_waiters = [&](bool has_waiters) noexcept { word.store(has_waiters, std::memory_order_relaxed); };
  return outcome_of(park_at(&word, set_waiters, unlock, options).outcome);
}

void foreign_notify(Word& word, std::size_t n) noexcept {
  unpark(&word, [&](const QueueView& queue) noexcept -> UnparkDecision {
    if (queue.size <= n) word.store(0, std::memory_order_relaxed);  // relaxed: as above
    return {n};
  });
}

}  // namespace detail

bool Condition::wait_until(Deadline deadline, const detail::backend::stop_token* stop) {
  const Waited waited = wait_released({.deadline = deadline, .stop = stop});
  take_back(waited);
  return waited.outcome == WaitOutcome::ok;
}

void Condition::set_waiters(bool has_waiters) noexcept {
  const auto said = [&]() noexcept -> const detail::LockWord* {
    const Sign sign = this->sign();
    if (is_over_lock(sign)) return has_waiters ? word_at(Sign::lock_waited_for) : &lock_->word_;
    if (is_own(sign)) return word_at(has_waiters ? Sign::own_waited_for : Sign::own);
    return word_at(has_waiters ? Sign::rlock_waited_for : Sign::rlock);
  };
  word_.store(said(), std::memory_order_relaxed);  // relaxed: it changes only under the bucket's lock (I1)
}

Condition::Waited Condition::wait_released(const WaitOptions& options) {
  const Sign sign = this->sign();
  if (!may_use(sign)) throw RuntimeError("cannot wait on un-acquired lock");
  detail::LockWord& lock = word_of_lock(sign);
  std::uint32_t depth = 0;
  if (!is_over_lock(sign)) {
    depth = rlock(sign).counted_depth();
    rlock(sign).count_depth(0);
  }
  const auto release = [&]() noexcept {
    if (!detail::give_back(lock, detail::thread_token_hint())) static_cast<void>(detail::unlock_word(lock, true));
    parking::spin_history(&lock).end_turn();
  };
  const auto set_it = [this](bool has_waiters) noexcept { set_waiters(has_waiters); };
  const ParkResult result = park_at(&word_, set_it, release, options);
  // Moved to the lock's queue and handed the lock by its release: already the owner.
  const bool owns = result.outcome == ParkOutcome::woken && result.token == detail::kHandedOver;
  const bool is_early = result.outcome == ParkOutcome::woken && result.token == detail::kNotDone;
  return {outcome_of(result.outcome), owns, is_early, depth};
}

bool Condition::try_take_back(const Waited& waited) noexcept {
  const Sign sign = this->sign();
  if (!waited.owns && !detail::try_take(word_of_lock(sign), detail::thread_token())) return false;
  if (!is_over_lock(sign)) rlock(sign).count_depth(waited.depth);
  return true;
}

void Condition::take_back(const Waited& waited) {
  if (!waited.is_early && try_take_back(waited)) return;
  const Sign sign = this->sign();
  const WaitKind& kind = is_over_lock(sign) ? detail::kLockKind : detail::kRLockKind;
  // One that was notified has queued for the lock already.
  const bool at_front = waited.outcome == WaitOutcome::ok;
  static_cast<void>(detail::lock_word(word_of_lock(sign), detail::thread_token(), kind, {}, at_front));
  if (!is_over_lock(sign)) rlock(sign).count_depth(waited.depth);
}

void Condition::notify_slow(std::size_t n) noexcept {
  const Sign sign = this->sign();
  detail::LockWord& lock = word_of_lock(sign);
  const WaitKind& kind = is_over_lock(sign) ? detail::kLockKind : detail::kRLockKind;
  bool may_queue = false;
  const auto decide = [&](const QueueView& queue) noexcept -> RequeueDecision {
    may_queue = parking::frees_by_exchange(&lock);
    if (!may_queue) return {0, 0};
    if (queue.size <= n) set_waiters(false);
    if (queue.size == 0) return {0, 0};
    if (mark_for_queue(lock)) return {0, n};
    return {1, n - 1};
  };
  while (!may_queue) {
    parking::require_exchanges(&lock);
    requeue(&word_, &lock, kind, decide);
  }
}

void Condition::throw_cannot_notify() { throw RuntimeError("cannot notify on un-acquired lock"); }

}  // namespace threading::inline v1
