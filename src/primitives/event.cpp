// SPDX-License-Identifier: MIT
//
// Word     bit 0: set. bit 1: somebody may be queued. bit 2: quiet. bits 3 to 14: how often set() wrote since the flag
//          was clear. bit 15: often enough. bits 16 to 30: how many clear()s fence. bit 31: a set() may have only
//          looked. The flag is bit 0 or bit 31.
// States   of bits 0 to 2 and 31: clear · waiters: clear, somebody waits · set · quiet and looked: quiet, set() only
//          looks · looked: being cleared, and set until then. No others: nobody queues while the flag is set, and set()
//          clears bit 1 in the store that sets bit 0. A count of set()s only beside `set`; of fences not beside
//          `quiet`.
// Moves    wait: sets bit 1 under the bucket's lock, only while the flag is clear. leave: clears bit 1 under the
//          bucket's lock if it was the last.
//          set: clear or set → set, counted, in one exchange. With bit 1, under the bucket's lock, and everybody queued
//          is woken. Once it is often enough, set → quiet, if there are fences and nobody fences, or it begins to count
//          anew. Quiet: nothing, a look. Being cleared: writes the word as it is.
//          clear: set → clear, quiet → being cleared, in one exchange. If that left bit 31, and it still is being
//          cleared, by whomever: counts itself among those that fence, fences, and → clear, no longer counted, in one
//          exchange.
// I1       Bit 1 is changed only under the bucket's lock. So a set() that does not find it has nobody to wake.
// I2       A thread that was woken returns true without looking at the flag again: a clear() that follows the set() at
//          once cannot send it back to sleep.
// I3       Threads use an event as a doorbell: one does "store work, set()", the other "wait, clear(), load work". If
//          set() only read a flag that is set, the store could still be on its way when the other, having cleared the
//          flag, looks for work, and both would go on without it. So set() writes, and the two read-modify-writes are
//          ordered on the one word; unless it is quiet, and then clear() fences.
// I4       Of a set() that only looks and a clear(), the set() comes later, or the clear() sees what preceded it.
//          The word is quiet at the look. If the clear() has made it clear before that, the look acquires what preceded
//          the clear(). If not, it is first being cleared; a thread writes that it is about to fence, and fences (I5).
//          The look missed that write, so what preceded the look is seen after the fence, by that thread and by all
//          that acquire its store of `clear`.
// I5       Only a thread that has fenced since the word was last quiet ends `being cleared`. From the exchange by which
//          it counts itself to the one by which it does so the word cannot become quiet, because of the count; so
//          it is the same `being cleared` in both. Without a count a thread that is late might end another one, in
//          which others have looked since.
// I6       The flag is not clear before the fence is over. A second clear() that found it clear would be done, and
//          its caller would miss what that of the first is about to see. Nor is it merely `set`, which the second
//          would clear without a fence.
// I7       A count of fences that has reached its end stays there: the event never becomes quiet again. The same goes
//          for a count in a child that was forked while another thread fenced.
// I8       A call of clear() makes the flag clear once, and then leaves the word alone: with its first exchange, if
//          that found the event set or clear, else with its second. If the first cleared the flag and the call went on,
//          for the sake of bits that others have there, it might be late, join those that clear another time, and take
//          away what was set by a thread that has seen the flag clear.
// Orders   R1 release of the exchange that sets pairs with A1, acquire of is_set(), clear() and wait(). R2 release of
//          the exchange that clears pairs with A2, acquire of set(), and with A1. Each write is a read-modify-write,
//          so who acquires one acquires all before it. All else is relaxed. A set() that only looks releases nothing:
//          what it orders is I4, by the fences. Nothing in the word could tell another thread that it came first.
// Destroy  The store that sets the flag is set()'s last access to the word: a thread that sees it may free the memory.
#include <threading/event.hpp>

#include "parking/spin_wait.hpp"

namespace threading::inline v1 {

namespace detail {
const WaitKind kEventKind{"Event", nullptr};
}

using detail::kEventFencer;
using detail::kEventFencers;
using detail::kEventFlag;
using detail::kEventLooked;
using detail::kEventOften;
using detail::kEventOnce;
using detail::kEventQuiet;
using detail::kEventSet;
using detail::kEventWaiters;
using detail::WaitOutcome;
namespace backend = detail::backend;

namespace {

// The thread sanitizer does not know the kernel's fences, and would report races that clear() prevents.
constexpr bool kMayBeQuiet = THREADING_THREAD_SANITIZER == 0;

constexpr bool is_being_cleared(std::uint32_t word) noexcept {
  return (word & (kEventLooked | kEventQuiet)) == kEventLooked;
}

std::uint32_t after_set(std::uint32_t word) noexcept {
  // Stays as it is, and yet is written.
  if ((word & kEventLooked) != 0) return word;
  if ((word & kEventOften) == 0) return ((word & ~kEventWaiters) + kEventOnce) | kEventSet;
  const std::uint32_t fencers = word & kEventFencers;
  if constexpr (!kMayBeQuiet) return fencers | kEventSet;
  return fencers == 0 && backend::has_heavy_fence() ? kEventQuiet | kEventLooked : fencers | kEventSet;
}

// A count that has reached its end stays there: see I7.
constexpr std::uint32_t with_fencer(std::uint32_t word) noexcept {
  return (word & kEventFencers) == kEventFencers ? word : word + kEventFencer;
}

constexpr std::uint32_t without_fencer(std::uint32_t word) noexcept {
  return (word & kEventFencers) == kEventFencers ? word : word - kEventFencer;
}

}  // namespace

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
    while ((seen & kEventFlag) == 0) {
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
  std::uint32_t seen = word_.load(std::memory_order_relaxed);  // relaxed: the exchange decides
  while ((seen & kEventWaiters) == 0) {
    // R1 release pairs with A1, A2 acquire with R2.
    if (word_.compare_exchange_weak(seen, after_set(seen), std::memory_order_acq_rel, std::memory_order_relaxed))
      return;
  }
  unpark(&word_, [this](const QueueView& queue) noexcept -> UnparkDecision {
    std::uint32_t now = word_.load(std::memory_order_relaxed);  // relaxed: the exchange decides
    // R1, A2 as above. The last access to the word.
    while (!word_.compare_exchange_weak(now, after_set(now), std::memory_order_acq_rel, std::memory_order_relaxed)) {
    }
    return {queue.size};
  });
}

void Event::clear_slow() noexcept {
  // A1 acquire, here and on failure: another clear() may have seen to everything.
  std::uint32_t seen = word_.load(std::memory_order_acquire);
  do {
    if (!is_being_cleared(seen)) return;
    // relaxed: before the fence.
  } while (!word_.compare_exchange_weak(seen, with_fencer(seen), std::memory_order_relaxed, std::memory_order_acquire));
  backend::heavy_fence();
  seen = word_.load(std::memory_order_relaxed);  // relaxed: the exchange decides
  // A1 acquire pairs with R1; R2 release pairs with A2, and with A1 of a clear() that finds the flag clear: what this
  // thread's fence has shown is visible to its caller, too. The last access to the word.
  while (!word_.compare_exchange_weak(seen, without_fencer(seen) & (kEventWaiters | kEventFencers),
                                      std::memory_order_acq_rel, std::memory_order_relaxed)) {
  }
}

}  // namespace threading::inline v1
