// SPDX-License-Identifier: MIT
//
// Word     bit 0: somebody may be queued. Bits 1–63: the counter.
// States   any counter with bit 0 clear: nobody waits · 0 with bit 0: somebody waits · n with bit 0: units are on their
//          way to woken threads that have not run yet, or up for grabs, while others still wait.
// Moves    acquire: anyone, takes a unit while there is one, keeps bit 0. park: sets bit 0 under the bucket's lock,
//          only while the counter is 0. release: bit 0 clear: adds by one exchange; bit 0 set: adds under the bucket's
//          lock, sets bit 0 to what remains true, wakes as many waiters as it adds units.
// I1       Bit 0 is changed only under the bucket's lock. A release that finds it clear has nobody to wake, because a
//          thread queues only in the same critical section that sets the bit while it sees counter 0. This is one word:
//          counter and "somebody waits" can never be seen apart.
// I2       Every unit added while somebody is queued wakes one queued thread, if there is one left. A woken thread that
//          finds its unit taken by a newcomer queues up again in front; the newcomer's release will wake it.
// I3       A unit handed over (the first waiter is overdue) never enters the counter: nobody can take it away.
// Orders   A1 acquire of the exchange that takes pairs with R1, release of the exchange that adds, and with the whole
//          release sequence of exchanges after it. Bit 0 is ordered by the bucket's lock.
// Destroy  R1 is the release's last access to the word: a thread that takes the unit may free the memory at once.
#include <threading/semaphore.hpp>

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
    std::uint64_t seen = word_.load(std::memory_order_relaxed);  // relaxed: the exchange decides
    while (seen < kUnit) {
      if (seen == kWaiters) return true;
      // relaxed: ordered by the bucket's lock (I1).
      if (word_.compare_exchange_weak(seen, kWaiters, std::memory_order_relaxed, std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  };
  const auto leave = [this](bool has_more, LeaveReason) noexcept {
    if (!has_more) word_.fetch_and(~kWaiters, std::memory_order_relaxed);  // relaxed: ordered by the bucket's lock
  };
  // relaxed in both: hints; try_acquire() and must_wait() decide.
  const auto has_waiters = [this]() noexcept { return (word_.load(std::memory_order_relaxed) & kWaiters) != 0; };
  const auto sees_unit = [this]() noexcept { return word_.load(std::memory_order_relaxed) >= kUnit; };
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

bool SemaphoreCore::release_slow(std::uint64_t count, std::uint64_t limit) noexcept {
  bool added = false;
  unpark(&word_, [&](const QueueView& queue) noexcept -> UnparkDecision {
    const std::uint64_t woken = count < queue.size ? count : queue.size;
    const bool grant = queue.first_overdue();
    const std::uint64_t units = grant ? count - woken : count;
    const std::uint64_t waiters = queue.size > woken ? kWaiters : 0;
    std::uint64_t seen = word_.load(std::memory_order_relaxed);  // relaxed: the exchange decides
    do {
      if (count > limit || seen / kUnit > limit - count) return {0};
      // R1 release pairs with A1. The last access to the word.
    } while (!word_.compare_exchange_weak(seen, (seen & ~kWaiters) + units * kUnit + waiters, std::memory_order_release,
                                          std::memory_order_relaxed));
    added = true;
    return {static_cast<std::size_t>(woken), grant ? kGranted : 0, grant};
  });
  return added;
}

void SemaphoreCore::throw_bad_initial_value() { throw ValueError("semaphore initial value must be >= 0"); }
void SemaphoreCore::throw_bad_count() { throw ValueError("n must be one or more"); }
void SemaphoreCore::throw_timeout_without_blocking() {
  throw ValueError("can't specify timeout for non-blocking acquire");
}

void throw_semaphore_overflow() { throw OverflowError("semaphore value too large"); }
void throw_released_too_often() { throw ValueError("Semaphore released too many times"); }

}  // namespace threading::inline v1::detail
