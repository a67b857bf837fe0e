// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <threading/detail/lock_word.hpp>
#include <threading/timeout.hpp>

namespace threading::inline v1 {

namespace detail {
inline constexpr std::uint32_t kEventSet = 1;
inline constexpr std::uint32_t kEventWaiters = 2;
THREADING_API extern const WaitKind kEventKind;
}  // namespace detail

// Python's threading.Event: a flag that threads wait for.
//
// A thread that waits when set() is called returns true, even if clear() follows at once. No call ever blocks but
// wait(); set() and clear() may be used from a signal handler when nobody waits, and from anywhere in the program.
// Not copyable, not movable. No allocation, ever. Constant-initialised.
// Lifetime: may be destroyed while no thread is blocked in it, also by a thread right after the set() that let it go.
// Visibility: what a thread did before set(), also when the flag was set already, is seen after a wait() that returns
// true, an is_set() that returns true, and a clear() that follows.
class THREADING_API Event {
 public:
  constexpr Event() noexcept = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Returns: whether the flag is set.
  bool is_set() const noexcept {
    // acquire pairs with the release in set().
    return (word_.load(std::memory_order_acquire) & detail::kEventSet) != 0;
  }

  // Sets the flag. Wakes every thread that waits.
  void set() noexcept {
    // relaxed: the exchange decides.
    std::uint32_t seen = word_.load(std::memory_order_relaxed);
    while ((seen & detail::kEventWaiters) == 0) {
      // Exchanges even a set flag for itself: a reader of the flag that clears it next must see what this thread did
      // before. release pairs with is_set() and clear(); acq_rel keeps set() after set() in order.
      if (word_.compare_exchange_weak(seen, detail::kEventSet, std::memory_order_acq_rel, std::memory_order_relaxed)) {
        return;
      }
    }
    set_slow();
  }

  // Clears the flag. Threads that wait already are not affected.
  void clear() noexcept {
    // acquire pairs with set(): what its callers did before is visible, also when the flag was set twice. release: a
    // set() that follows orders after what this thread did.
    word_.fetch_and(~detail::kEventSet, std::memory_order_acq_rel);
  }

  // Waits until the flag is set. Returns: true if it was; false on timeout (a negative number of seconds has passed
  // already) or when stop was requested first. Blocks.
  bool wait(Timeout timeout = forever) { return is_set() || wait_slow(timeout, nullptr); }
  bool wait(Timeout timeout, detail::backend::stop_token stop) { return is_set() || wait_slow(timeout, &stop); }

  [[deprecated("use is_set()")]] bool isSet() const noexcept { return is_set(); }

 private:
  friend struct Embedding;

  THREADING_COLD bool wait_slow(Timeout timeout, const detail::backend::stop_token* stop);
  detail::WaitOutcome wait_until(const detail::WaitOptions& options);
  THREADING_COLD void set_slow() noexcept;

  detail::backend::atomic<std::uint32_t> word_{0};
};

static_assert(sizeof(Event) == 4 || sizeof(detail::backend::atomic<std::uint32_t>) != 4);

}  // namespace threading::inline v1
