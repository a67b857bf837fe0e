// SPDX-License-Identifier: MIT
//
// Word     bit 0: somebody may be queued at the condition's address. bit 1: it is not over a Lock; that never changes,
//          and is here so that notify() sees with one look that it is over a Lock and nobody waits.
// States   of bit 0: 0 nobody waits · 1 somebody waits, or the last waiter has just gone.
// Moves    wait: sets the bit under the bucket's lock while queuing, and once it has released the lock tells those that
//          contend for it (first_look.hpp). notify, leave: clear it under the bucket's lock when the queue is empty.
// I1       The bit is set whenever somebody is queued (it changes only under the bucket's lock). So a notifier that
//          reads 0 while it holds the lock has nobody to wake: waiters queue up before they release the lock.
// I2       A waiter is queued before the lock is released, so no notification by a later holder can miss it.
// I3       notify moves waiters to the lock's own queue and marks the lock's word, instead of waking threads that would
//          only run into the held lock. From then on a waiter has been notified: timeout and stop no longer count, it
//          only waits for the lock (the lot's I3).
// I4       If the lock is free at that moment (a Lock may be released by others meanwhile), the first is woken and the
//          rest moved; the lock's word is marked either way, so that the next release goes on.
// Orders   All relaxed: the lock orders what users see, the bucket's lock orders the queues.
// Destroy  notify touches the condition only under the bucket's lock, before anyone can return from wait().
//
// Over a foreign lock (ConditionOver) there is no word to queue on: notify wakes, and the woken call lock() themselves.
#include <threading/condition.hpp>

#include "parking/release_mode.hpp"
#include "parking/spin_wait.hpp"

namespace threading::inline v1 {
namespace {

using detail::kConditionWaiters;
using detail::WaitOptions;
using detail::WaitOutcome;
using Word = detail::backend::atomic<std::uint32_t>;

// relaxed in all: the word changes only under the bucket's lock (I1).
void set_waiters(Word& word) noexcept {
  word.store(word.load(std::memory_order_relaxed) | kConditionWaiters, std::memory_order_relaxed);
}
void clear_waiters(Word& word) noexcept {
  word.store(word.load(std::memory_order_relaxed) & ~kConditionWaiters, std::memory_order_relaxed);
}
void clear_waiters_if(bool none_left, Word& word) noexcept {
  if (none_left) clear_waiters(word);
}

ParkResult park_at(Word& word, detail::BeforeSleepRef before_sleep, const WaitOptions& options) {
  return park(
      &word, detail::kConditionKind,
      [&]() noexcept {
        set_waiters(word);
        return true;
      },
      before_sleep, [&](bool has_more, LeaveReason) noexcept { clear_waiters_if(!has_more, word); },
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

WaitOutcome foreign_wait(Word& word, BeforeSleepRef unlock, const WaitOptions& options) {
  return outcome_of(park_at(word, unlock, options).outcome);
}

void foreign_notify(Word& word, std::size_t n) noexcept {
  unpark(&word, [&](const QueueView& queue) noexcept -> UnparkDecision {
    clear_waiters_if(queue.size <= n, word);
    return {n};
  });
}

}  // namespace detail

bool Condition::wait_until(Deadline deadline, const detail::backend::stop_token* stop) {
  const Waited waited = wait_released({.deadline = deadline, .stop = stop});
  take_back(waited);
  return waited.outcome == WaitOutcome::ok;
}

Condition::Waited Condition::wait_released(const WaitOptions& options) {
  if (!may_use()) throw RuntimeError("cannot wait on un-acquired lock");
  detail::LockWord& lock = word_of_lock();
  std::uint32_t depth = 0;
  if (over_ != Over::lock) {
    depth = rlock().counted_depth();
    rlock().count_depth(0);
  }
  const auto release = [&]() noexcept {
    if (!detail::give_back(lock, detail::thread_token_hint())) static_cast<void>(detail::unlock_word(lock, true));
    parking::spin_history(&lock).end_turn();
  };
  const ParkResult result = park_at(word_, release, options);
  // Moved to the lock's queue and handed the lock by its release: already the owner.
  const bool owns = result.outcome == ParkOutcome::woken && result.token == detail::kHandedOver;
  const bool is_early = result.outcome == ParkOutcome::woken && result.token == detail::kNotDone;
  return {outcome_of(result.outcome), owns, is_early, depth};
}

bool Condition::try_take_back(const Waited& waited) noexcept {
  if (!waited.owns && !detail::try_take(word_of_lock(), detail::thread_token())) return false;
  if (over_ != Over::lock) rlock().count_depth(waited.depth);
  return true;
}

void Condition::take_back(const Waited& waited) {
  if (!waited.is_early && try_take_back(waited)) return;
  const WaitKind& kind = over_ == Over::lock ? detail::kLockKind : detail::kRLockKind;
  // One that was notified has queued for the lock already.
  const bool at_front = waited.outcome == WaitOutcome::ok;
  static_cast<void>(detail::lock_word(word_of_lock(), detail::thread_token(), kind, {}, at_front));
  if (over_ != Over::lock) rlock().count_depth(waited.depth);
}

void Condition::notify_slow(std::size_t n) noexcept {
  detail::LockWord& lock = word_of_lock();
  const WaitKind& kind = over_ == Over::lock ? detail::kLockKind : detail::kRLockKind;
  bool may_queue = false;
  const auto decide = [&](const QueueView& queue) noexcept -> RequeueDecision {
    may_queue = parking::frees_by_exchange(&lock);
    if (!may_queue) return {0, 0};
    clear_waiters_if(queue.size <= n, word_);
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
