// SPDX-License-Identifier: MIT
//
// Word     the counter; while somebody may be queued, kWaiters + the counter.
// States   0 and more: that many units, nobody waits · kWaiters: somebody waits · kWaiters + n, negative: units that
//          were added a moment ago, or are on their way to woken threads that have not run yet, or up for grabs, while
//          others still wait · kOwed: somebody waits, and the next unit is for the first · less than kOwed: the counter
//          was at its end, and releases are about to notice.
// Moves    acquire: anyone, takes a unit while there is one. park: adds kWaiters under the bucket's lock, only while
//          the counter is 0. leave: takes kWaiters away under the bucket's lock, if it was the last.
//          release of one unit: adds it, as it finds the word. If the word was negative, it then wakes the first waiter
//          under the bucket's lock, if a unit is left, and takes kWaiters away if nobody waits behind that one. If none
//          is left and the first is overdue, it leaves kOwed. What it has added to kOwed makes kWaiters, which is no
//          unit: it adds again under the lock. If the counter was at its end, it takes the unit back, unless somebody
//          has made room meanwhile.
//          release that must look before it adds (a bound, or several units): by comparison where nobody waits, else
//          under the bucket's lock, where it wakes as many waiters as it adds units.
// I1       kWaiters is added and taken away only under the bucket's lock. A release that does not find it has nobody to
//          wake, because a thread queues only in the same critical section that adds it while the counter is 0. This
//          is one word: counter and "somebody waits" can never be seen apart.
// I2       While somebody is queued, there are not more units than woken threads, and units of releases, that are still
//          to come. A release wakes somebody for each of its units that is left, or the unit has been taken by a
//          newcomer. A woken thread that finds its unit taken queues up again in front; so does who waits while the
//          newcomer has it: whoever adds the next unit will wake the first.
// I3       A unit handed over (the first waiter is overdue) is taken from the counter by the release that tells so:
//          nobody can take it away. If a newcomer was faster, kOwed says so to the next release, whose unit nobody sees
//          before it is handed over.
// I4       Who has added a unit and then comes to the bucket's lock reads the word only if somebody is queued for a
//          semaphore there: that one is alive then. Whoever took the unit may have freed the memory.
// I5       So many releases at once that the word would leave "too large" again, 2^62, are not possible.
// Orders   A1 acquire of the exchange that takes pairs with R1, release of the exchange that adds, and with the whole
//          release sequence of exchanges after it. kWaiters is ordered by the bucket's lock. Who is handed a unit has
//          A1 by the bucket's lock, from the thread that hands it.
// Destroy  R1 is the release's last access to the word, but for I4: a thread that takes the unit may free the memory at
//          once. A release that has found kOwed, or the end of the counter, has let nobody in: the word is there.
// Fork     Whoever waited is not there in the child. kWaiters may stay until somebody has waited there, and releases
//          come to the bucket in vain.
#include <threading/semaphore.hpp>

#include <algorithm>

#include "parking/spin_wait.hpp"

namespace threading::inline v1::detail {
namespace {

constexpr std::uintptr_t kGranted = 1;

}  // namespace

const WaitKind kSemaphoreKind{"Semaphore", nullptr};

bool SemaphoreCore::acquire_slow(Timeout timeout, const backend::stop_token* stop) {
  return wait_slow({.deadline = timeout.deadline(), .stop = stop}) == WaitOutcome::ok;
}

WaitOutcome SemaphoreCore::wait_slow(const WaitOptions& options) {
  ParkOptions parking{.deadline = options.deadline, .interruptible = options.interruptible, .stop = options.stop};
  const auto must_wait = [this]() noexcept {
    Word seen = word_.load(std::memory_order_relaxed);  // relaxed: the exchange decides
    while (!has_unit(seen)) {
      if (seen < 0) return true;
      // relaxed: ordered by the bucket's lock (I1).
      if (word_.compare_exchange_weak(seen, kWaiters, std::memory_order_relaxed, std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  };
  const auto leave = [this](bool has_more, LeaveReason) noexcept {
    if (has_more) return;
    Word seen = word_.load(std::memory_order_relaxed);  // relaxed: the exchange decides
    // relaxed: ordered by the bucket's lock.
    while (!word_.compare_exchange_weak(seen, counter_of(seen), std::memory_order_relaxed, std::memory_order_relaxed)) {
    }
  };
  // relaxed in both: hints; try_acquire() and must_wait() decide.
  const auto has_waiters = [this]() noexcept { return word_.load(std::memory_order_relaxed) < 0; };
  const auto sees_unit = [this]() noexcept { return has_unit(word_.load(std::memory_order_relaxed)); };
  bool may_spin = true;
  for (;;) {
    if (try_acquire()) return WaitOutcome::ok;
    if (options.deadline == Deadline::passed()) return WaitOutcome::timed_out;
    // Once, and not past others that are queued. Looking is cheaper for both sides than queuing up.
    if (may_spin && !has_waiters() && parking::spin_history(&word_).spin(sees_unit, options.deadline)) {
      may_spin = false;
      continue;
    }
    if (parking.since == 0) parking.since = backend::monotonic_now();
    const ParkResult result = park(
        &word_, kSemaphoreKind, must_wait, []() noexcept {}, leave, parking);
    switch (result.outcome) {
      case ParkOutcome::woken:
        if (result.token == kGranted) return WaitOutcome::ok;
        parking.at_front = true;
        break;
      case ParkOutcome::changed: break;
      case ParkOutcome::timed_out: return WaitOutcome::timed_out;
      case ParkOutcome::interrupted: return WaitOutcome::interrupted;
    }
  }
}

// Under the bucket's lock: adds the units, unless that was done before, and wakes as many waiters.
bool SemaphoreCore::release_slow(Word count, Word limit, bool is_added) noexcept {
  bool fits = true;
  unpark(&word_, [&](const QueueView& queue) noexcept -> UnparkDecision {
    if (is_added && queue.kind != &kSemaphoreKind) return {0};  // I4
    const Word waiters = static_cast<Word>(queue.size);
    const bool grant = queue.first_overdue();
    Word seen = word_.load(std::memory_order_relaxed);  // relaxed: the exchange decides
    for (;;) {
      Word counter = counter_of(seen);
      if (!is_added) {
        fits = count <= limit && counter <= limit - count;
        if (!fits) return {0};
        counter += count;
      }
      const Word woken = std::min({count, waiters, counter});
      const bool owes = grant && woken == 0;  // a newcomer has the unit, not who is overdue
      const Word next = owes ? kOwed : counter - (grant ? woken : 0) + (waiters > woken ? kWaiters : 0);
      // R1 release pairs with A1, acquire is A1 for whoever is handed a unit that another thread has added. The last
      // access to the word.
      if (word_.compare_exchange_weak(seen, next, std::memory_order_acq_rel, std::memory_order_relaxed))
        return {static_cast<std::size_t>(woken), grant ? kGranted : 0, grant && woken != 0};
    }
  });
  return fits;
}

bool SemaphoreCore::added_slow(Word before) noexcept {
  // What was added to kOwed is nobody's unit: it is added under the lock.
  if (before < 0 && !is_too_large(before)) return release_slow(1, kMaxValue, before != kOwed);
  Word seen = word_.load(std::memory_order_relaxed);  // relaxed: the exchange decides
  while (is_too_large(seen)) {
    // relaxed: nobody has learnt anything from a unit that is taken back.
    if (word_.compare_exchange_weak(seen, one_less(seen), std::memory_order_relaxed, std::memory_order_relaxed))
      return false;
  }
  return true;
}

void SemaphoreCore::throw_bad_initial_value() { throw ValueError("semaphore initial value must be >= 0"); }
void SemaphoreCore::throw_bad_count() { throw ValueError("n must be one or more"); }
void SemaphoreCore::throw_timeout_without_blocking() {
  throw ValueError("can't specify timeout for non-blocking acquire");
}

void throw_semaphore_overflow() { throw OverflowError("semaphore value too large"); }
void throw_released_too_often() { throw ValueError("Semaphore released too many times"); }

}  // namespace threading::inline v1::detail
