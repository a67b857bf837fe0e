// SPDX-License-Identifier: MIT
//
// The word of Lock and RLock, and everything that happens to it off the fast path.
//
// Word     bit 0 held; bit 1 parked; bits 2–31 the token of the thread that took it, 0 for a thread without one.
// States   0 free, nobody parked · t01 held by t, nobody parked · 010 free, somebody parked or just woken
//          · t11 held by t, somebody parked.
// Moves    take: anyone, sets held and the owner in one exchange while held is clear; keeps parked (barging).
//          park: a contender, sets parked under the bucket's lock, only while held is set.
//          release: whoever may; held alone → 0 by one exchange, which guesses that the releaser is the owner and
//          leaves other cases to the slow path; with parked set, under the bucket's lock: hands over, or frees the lock
//          and wakes the first waiter; or, if the queue is long and one that was woken has yet to run, only frees it.
//          store: the owner, while the mode of its bucket says so (release_mode.cpp): anything → 0, whether parked is
//          set or not. If the mode has changed by then, it goes to the bucket and marks or wakes whom it has missed.
//          In a mode that is blind only a thread that knows that it holds the lock (I6), without a look at the word.
//          A release that wakes says whether its thread is expected back at once (kNotDone): where locks pass in turns,
//          unless it is about to wait or others are queued. A hint for who waited at a condition: it tries later.
//          leave: a waiter that gives up clears parked under the bucket's lock if it was the last.
// I1       parked is set and cleared only under the bucket's lock, but for the take that keeps it and the store that
//          wipes it out, whose thread is then on its way to the bucket. Otherwise a waiter could sleep unseen.
// I2       parked may be set with no waiter left (after a fork, or between wake and retry): costs one empty unpark.
// I3       A waiter is queued only while parked is set and, at the moment of queuing, held is set: somebody will come
//          through release and see it.
// I4       A hand-over leaves held set throughout and writes the new owner: nobody can barge in between, and the woken
//          thread owns the lock before it runs.
// I5       A release that wakes nobody leaves parked set and happens, by the order of the bucket's lock, before the one
//          that is coming looks at the word. That one takes the lock, or finds it held by a thread whose release comes
//          later, when nobody is coming any more.
// I6       A thread knows that it holds a lock if it has taken it (PerThread::taken) and the mode of the bucket is the
//          one, blind, in which it has freed a lock of that bucket before (PerThread::trusted). No such mode comes
//          back, so the mode was that one all the time. Since then `taken` was a lock that this thread holds: it
//          forgets it whenever it frees any lock in a blind mode, or comes to unlock_word(). And before another thread
//          frees a lock that this one has taken, or another lock begins where that one was, the mode becomes another
//          one (distrust()): a release that comes after that sees the new mode.
// Fairness A thread that arrives may take a free lock over queued ones: that keeps the lock busy while the woken one
//          is still on its way, and is what makes contended locks fast. A waiter that loses contends once more, then
//          queues up in front with its age; once it is older than kHandOverAfter it queues up at once, and a release
//          hands over to the first that is, but not while another is coming (I5). So nobody starves, and the price is
//          at most one direct hand-over a millisecond and bucket.
// Orders   A1 acquire of each exchange that takes pairs with R1, release of each store or exchange that frees: the
//          critical section is visible. In a hand-over the wake itself carries the visibility (parker's contract).
//          parked is ordered by the bucket's lock: relaxed.
// Destroy  After R1 the releaser uses only the word's address: the next owner may free the memory. The store in
//          decide() is the last access, and it happens before anyone is woken. Who has stored and comes to the bucket
//          reads the word only if somebody is queued there for a lock: then it is there, or another lock in its place.
#include <threading/detail/lock_word.hpp>

#include <utility>

#include "parking/draw.hpp"
#include "parking/release_mode.hpp"
#include "parking/spin_wait.hpp"

namespace threading::inline v1::detail {
namespace {

using parking::SpinHistory;

ThreadToken owner_at(const void* key) noexcept {
  // relaxed: for display.
  return owner_of(static_cast<const LockWord*>(key)->load(std::memory_order_relaxed));
}

// Under the bucket's lock: marks the word so that a release comes through the slow path.
// Returns: false when the lock is free.
bool mark_parked(LockWord& word) noexcept {
  std::uint32_t seen = word.load(std::memory_order_relaxed);  // relaxed: the exchange decides
  while (is_held(seen)) {
    if (has_parked(seen)) return true;
    // relaxed: ordered by the bucket's lock (I1).
    if (word.compare_exchange_weak(seen, seen | kParked, std::memory_order_relaxed, std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

void clear_parked(LockWord& word) noexcept {
  word.fetch_and(~kParked, std::memory_order_relaxed);  // relaxed: ordered by the bucket's lock (I1)
}

ParkResult park_for(LockWord& word, const WaitKind& kind, const ParkOptions& options) {
  for (;;) {
    parking::require_exchanges(&word);
    bool may_queue = false;
    const auto validate = [&]() noexcept {
      may_queue = parking::frees_by_exchange(&word);
      return may_queue && mark_parked(word);
    };
    const auto leave = [&](bool has_more, LeaveReason) noexcept {
      if (!has_more) clear_parked(word);
    };
    const ParkResult result = park(
        &word, kind, validate, []() noexcept {}, leave, options);
    if (may_queue) return result;
  }
}

// Of those that had to contend one in so many says how the lock is to be freed, drawn by the clock: a lock for which
// threads contend once in a thousand times is to be freed by stores with a look.
constexpr std::uint32_t kSayOneIn = 4;

// By a thread that has just taken a lock for which it had to contend, but not after a notification.
void learn_how_to_release(const LockWord& word) noexcept {
  const ReleaseMode mode = release_mode(&word).load(std::memory_order_relaxed);  // relaxed: asked again, under a lock
  const bool blindly = parking::spin_history(&word).passes_locks_on_soon();
  if (blindly ? mode != ReleaseMode::store : !is_blind(mode)) return;
  if (parking::drawn_one_in(kSayOneIn, backend::monotonic_now())) parking::store_blindly(&word, blindly);
}

// One in so many of the locks that a thread frees blindly ends that until somebody contends again: where nobody does, a
// release with a look costs half a nanosecond less. So seldom that those who do contend are no slower for it (ADR 39),
// and seldom come to it: a round that begins counts anew.
constexpr std::uint32_t kReleasesPerLook = 4'096;

// By a thread that is about to free a lock whose word says `seen`: another that took it cannot know it any longer (I6).
void tell_taker(const LockWord& word, std::uint32_t seen) noexcept {
  if (owner_of(seen) != thread_token_hint()) distrust(&word);
}

WaitOutcome outcome_of(ParkOutcome outcome) noexcept {
  return outcome == ParkOutcome::timed_out ? WaitOutcome::timed_out : WaitOutcome::interrupted;
}

}  // namespace

const WaitKind kLockKind{"Lock", &owner_at};
const WaitKind kRLockKind{"RLock", &owner_at};

WaitOutcome lock_word(LockWord& word, ThreadToken token, const WaitKind& kind, const WaitOptions& options,
                      bool at_front) {
  if (options.deadline == Deadline::passed()) {
    return try_take(word, token) ? WaitOutcome::ok : WaitOutcome::timed_out;
  }
  // park() would name this thread in any case; so the holder of a contended lock has a name in dump().
  if (token == 0) token = thread_token();
  ParkOptions parking{
      .deadline = options.deadline, .interruptible = options.interruptible, .stop = options.stop, .at_front = at_front};
  const auto looks_held = [&]() noexcept {
    return is_held(word.load(std::memory_order_relaxed));  // relaxed: try_take() decides
  };
  const auto take = [&]() noexcept { return try_take(word, token); };
  const auto contender = at_front ? SpinHistory::Contender::notified : SpinHistory::Contender::arrived;
  // Not for ever: who is not queued is never handed the lock.
  bool may_spin = true;
  bool may_try = false;  // the caller has, a moment ago
  for (;;) {
    const bool is_taken =
        (may_try && try_take(word, token)) ||
        (may_spin && parking::spin_history(&word).contend(looks_held, take, options.deadline, contender));
    if (is_taken) {
      if (may_spin && !at_front) learn_how_to_release(word);
      return WaitOutcome::ok;
    }
    may_try = true;
    if (parking.since == 0) parking.since = backend::monotonic_now();
    const ParkResult result = park_for(word, kind, parking);
    switch (result.outcome) {
      case ParkOutcome::woken:
        if (result.token == kHandedOver) return WaitOutcome::ok;
        parking.at_front = true;
        may_spin = backend::monotonic_now() - parking.since <= kHandOverAfter;
        break;
      case ParkOutcome::changed: may_spin = false; break;
      case ParkOutcome::timed_out:
      case ParkOutcome::interrupted: return outcome_of(result.outcome);
    }
  }
}

bool unlock_word(LockWord& word, bool is_done) noexcept {
  backend::per_thread().taken = nullptr;                      // I6
  std::uint32_t seen = word.load(std::memory_order_relaxed);  // relaxed: the exchange decides
  for (;;) {
    if (!is_held(seen)) return false;
    if (has_parked(seen)) break;
    tell_taker(word, seen);
    // R1 release pairs with A1.
    if (word.compare_exchange_weak(seen, 0, std::memory_order_release, std::memory_order_relaxed)) return true;
  }
  bool released = false;
  const SpinHistory& history = parking::spin_history(&word);
  const auto decide = [&](const QueueView& queue) noexcept -> UnparkDecision {
    const bool is_long = queue.size >= backend::many_queued();
    const bool wakes = !is_long || !queue.one_is_coming;
    const bool hand_over = wakes && queue.first_overdue();
    // With others behind it the woken thread was let go with a crowd, in which nobody has more to do.
    const bool goes_on = !is_done && queue.size == 1 && history.in_turns();
    const std::uintptr_t token = hand_over ? kHandedOver : goes_on ? kNotDone : 0;
    const std::uint32_t parked = queue.size > (wakes ? 1 : 0) ? kParked : 0;
    const std::uint32_t next = hand_over ? held_by(queue.first) | parked : parked;
    std::uint32_t now = word.load(std::memory_order_relaxed);  // relaxed: the exchange decides
    // Anyone may release a Lock, so two may race here; the one that finds it free has misused it.
    while (is_held(now)) {
      tell_taker(word, now);
      // R1 release pairs with A1. The last access to the word.
      if (word.compare_exchange_weak(now, next, std::memory_order_release, std::memory_order_relaxed)) {
        released = true;
        return {wakes ? 1u : 0u, token, hand_over, is_long && wakes && !hand_over};
      }
    }
    return {0};
  };
  unpark(&word, decide);
  return released;
}

bool give_back_blindly(LockWord& word, ThreadToken token, ReleaseMode mode) noexcept {
  PerThread& self = backend::per_thread();
  const bool knows = std::exchange(self.taken, nullptr) == &word && self.trusted == mode;  // I6
  if (knows) {
    const std::uint32_t released = ++self.rounds.released;
    word.store(0, std::memory_order_release);  // R1 release pairs with A1
    backend::light_fence();
    // relaxed: after the fence.
    if (release_mode(&word).load(std::memory_order_relaxed) != mode) {
      wake_missed(word);
    } else if (released % kReleasesPerLook == 0) {
      consider_stores(&word);
    }
    return true;
  }
  if (!give_back_by_exchange(word, token)) return false;
  // Two threads without a token are one to the word: neither would learn what the other has freed.
  if (token != 0) self.trusted = mode;
  return true;
}

void wake_missed(LockWord& word) noexcept {
  unpark(&word, [&](const QueueView& queue) noexcept -> UnparkDecision {
    if (queue.kind != &kLockKind && queue.kind != &kRLockKind) return {0};
    std::uint32_t now = word.load(std::memory_order_relaxed);  // relaxed: the exchange decides
    while (!has_parked(now)) {
      // Held: by a thread that came in between, whose release is to come through the queue. Free: nobody else would
      // wake the first, who may leave a mark for the others.
      const std::uint32_t next = is_held(now) ? now | kParked : queue.size > 1 ? kParked : 0;
      // relaxed: ordered by the bucket's lock (I1). The woken thread reads what this exchange carries on from R1.
      if (word.compare_exchange_weak(now, next, std::memory_order_relaxed, std::memory_order_relaxed)) {
        return {is_held(now) ? 0u : 1u};
      }
    }
    return {0};
  });
}

WaitOutcome wait_until_free(LockWord& word, const WaitKind& kind, const WaitOptions& options) {
  const ParkOptions parking{.deadline = options.deadline, .interruptible = options.interruptible, .stop = options.stop};
  const auto looks_free = [&]() noexcept { return !is_held(word.load(std::memory_order_relaxed)); };  // relaxed: hint
  if (looks_free() || parking::spin_history(&word).spin(looks_free, options.deadline)) return WaitOutcome::ok;
  if (options.deadline == Deadline::passed()) return WaitOutcome::timed_out;
  const ParkResult result = park_for(word, kind, parking);
  switch (result.outcome) {
    case ParkOutcome::woken:
      // Handed over, although this caller only wanted to look: pass it on.
      if (result.token == kHandedOver) static_cast<void>(unlock_word(word));
      return WaitOutcome::ok;
    case ParkOutcome::changed: return WaitOutcome::ok;
    case ParkOutcome::timed_out:
    case ParkOutcome::interrupted: break;
  }
  return outcome_of(result.outcome);
}

void pass_on(LockWord& word) noexcept {
  unpark(&word, [&](const QueueView&) noexcept -> UnparkDecision {
    // relaxed: if it is held, its release comes through the queue.
    return {is_held(word.load(std::memory_order_relaxed)) ? 0u : 1u};
  });
}

}  // namespace threading::inline v1::detail
