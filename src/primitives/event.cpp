// SPDX-License-Identifier: MIT
//
// Word     bit 0: the flag. bit 1: somebody may be queued.
// States   00 clear · 01 set · 10 clear, somebody waits. 11 does not occur: nobody queues while the flag is set, and
//          set() clears bit 1 in the store that sets bit 0.
// Moves    wait: sets bit 1 under the bucket's lock, only while bit 0 is clear. set: without bit 1, one exchange to 01;
//          with it, under the bucket's lock, 01, and everybody queued is woken. clear: clears bit 0. leave: clears bit
//          1 under the bucket's lock if it was the last.
// I1       Bit 1 is changed only under the bucket's lock. So a set() that does not find it has nobody to wake.
// I2       A thread that was woken returns true without looking at the flag again: a clear() that follows the set() at
//          once cannot send it back to sleep.
// I3       set() writes even if the flag is set. Threads use an event as a doorbell: one does "store work, set()", the
//          other "wait, clear(), load work". If set() only read the flag, the store could still be on its way when the
//          other, having cleared the flag, looks for work, and both would go on without it. The two read-modify-writes
//          are ordered on the one word, so that clear() sees what preceded every set() before it.
// Orders   R1 release of the exchange that sets pairs with A1, acquire of is_set(), clear() and wait(). All else is
//          relaxed.
// Destroy  The store of 01 is set()'s last access to the word: a thread that sees it may free the memory.
#include <threading/event.hpp>

#include "parking/spin_wait.hpp"

namespace threading::inline v1 {

namespace detail {
const WaitKind kEventKind{"Event", nullptr};
}

using detail::kEventSet;
using detail::kEventWaiters;
using detail::WaitOutcome;

bool Event::wait_slow(Timeout timeout, const detail::backend::stop_token* stop) {
  return wait_until({.deadline = timeout.deadline(), .stop = stop}) == WaitOutcome::ok;
}

WaitOutcome Event::wait_until(const detail::WaitOptions& options) {
  if (is_set()) return WaitOutcome::ok;
  if (options.deadline == Deadline::passed()) return WaitOutcome::timed_out;
  // Looking at the flag is cheaper for both sides than queuing up, while the answer comes within moments. This thread
  // does not wait yet in the sense of I2: a set() with a clear() right behind it may pass between two looks, as it may
  // before the call.
  if (parking::spin_history(&word_).spin([this]() noexcept { return is_set(); }, options.deadline))
    return WaitOutcome::ok;
  const auto must_wait = [this]() noexcept {
    // A1 acquire: what preceded the set() that is found here is visible.
    std::uint32_t seen = word_.load(std::memory_order_acquire);
    while ((seen & kEventSet) == 0) {
      if ((seen & kEventWaiters) != 0) return true;
      // relaxed: the bit is ordered by the bucket's lock (I1). A1 acquire on failure, as above.
      if (word_.compare_exchange_weak(seen, seen | kEventWaiters, std::memory_order_relaxed,
                                      std::memory_order_acquire)) {
        return true;
      }
    }
    return false;
  };
  const auto leave = [this](bool has_more, LeaveReason) noexcept {
    if (!has_more) word_.fetch_and(~kEventWaiters, std::memory_order_relaxed);  // relaxed: under the bucket's lock
  };
  const ParkResult result = park(&word_, detail::kEventKind, must_wait, []() noexcept {}, leave,
                                 {.deadline = options.deadline,
                                  .interruptible = options.interruptible,
                                  .on_signal = options.on_signal,
                                  .stop = options.stop});
  switch (result.outcome) {
    case ParkOutcome::woken:
    case ParkOutcome::changed: return WaitOutcome::ok;
    case ParkOutcome::timed_out: return WaitOutcome::timed_out;
    case ParkOutcome::interrupted: break;
  }
  return WaitOutcome::interrupted;
}

void Event::set_slow() noexcept {
  unpark(&word_, [this](const QueueView& queue) noexcept -> UnparkDecision {
    // R1 release pairs with A1; acquire keeps set() after set() in order. The last access to the word.
    word_.exchange(kEventSet, std::memory_order_acq_rel);
    return {queue.size};
  });
}

}  // namespace threading::inline v1
