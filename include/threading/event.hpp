// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <threading/detail/lock_word.hpp>
#include <threading/timeout.hpp>

namespace threading::inline v1 {

namespace detail {
// The word is told in src/primitives/event.cpp. Programs have it compiled in: it is part of the binary interface.
#if defined(THREADING_BACKEND_SCHEDULE)
inline constexpr unsigned kEventCountBits = 0;  // the lab sets an event twice, and it is quiet
inline constexpr unsigned kEventFencerBits = 2;
#else
inline constexpr unsigned kEventCountBits = 12;  // a fence costs what 50 to 3,000 exchanges do: see ADR 29
inline constexpr unsigned kEventFencerBits = 15;
#endif
inline constexpr std::uint32_t kEventSet = 1;
inline constexpr std::uint32_t kEventWaiters = 2;
inline constexpr std::uint32_t kEventQuiet = 4;
inline constexpr std::uint32_t kEventOnce = 8;
inline constexpr std::uint32_t kEventOften = kEventOnce << kEventCountBits;
inline constexpr std::uint32_t kEventFencer = kEventOften << 1;
inline constexpr std::uint32_t kEventFencers = ((1u << kEventFencerBits) - 1) * kEventFencer;
inline constexpr std::uint32_t kEventLooked = 1u << 31;  // the sign: see clear()
inline constexpr std::uint32_t kEventFlag = kEventSet | kEventLooked;
inline constexpr std::uint32_t kEventKeptByClear = kEventWaiters | kEventLooked | kEventFencers;
THREADING_API extern const WaitKind kEventKind;
}  // namespace detail

// Python's threading.Event: a flag that threads wait for.
//
// A thread that waits when set() is called returns true, even if clear() follows at once. No call ever blocks but
// wait(); set() and clear() may be used from a signal handler when nobody waits, and from anywhere in the program.
// Not copyable, not movable. No allocation, ever. Constant-initialised.
// Lifetime: may be destroyed while no thread is blocked in it, also by a thread right after the set() that let it go.
// Visibility: what a thread did before the set() that set the flag is seen after a wait() that returns true and an
// is_set() that returns true; what it did before any set(), also when the flag was set already, after a clear() that
// follows. Of a set() and a clear() at the same time, whichever comes later sees what the other's thread did before.
class THREADING_API Event {
 public:
  constexpr Event() noexcept = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Returns: whether the flag is set.
  bool is_set() const noexcept {
    // acquire pairs with the release in set().
    return (word_.load(std::memory_order_acquire) & detail::kEventFlag) != 0;
  }

  // Sets the flag. Wakes every thread that waits. Set 4,096 times without a clear() in between, the event is only
  // looked at from then on, where the kernel has membarrier().
  void set() noexcept {
    // What the caller did before stays before the look: see I3 and I4 in event.cpp.
    detail::backend::light_fence();
    // acquire pairs with the release in clear(): what its caller did before is visible after a mere look, too.
    std::uint32_t seen = word_.load(std::memory_order_acquire);
    // likely: a jump would take as long as the look.
    if ((seen & detail::kEventQuiet) != 0) [[likely]]
      return;
    while ((seen & (detail::kEventWaiters | detail::kEventLooked | detail::kEventOften)) == 0) {
      // Exchanges even a set flag for itself: a reader of the flag that clears it next must see what this thread did
      // before. release pairs with is_set() and clear(), acquire with clear(). relaxed: set_slow() looks again.
      if (word_.compare_exchange_weak(seen, (seen + detail::kEventOnce) | detail::kEventSet, std::memory_order_acq_rel,
                                      std::memory_order_relaxed)) {
        return;
      }
    }
    set_slow();
  }

  // Clears the flag. Threads that wait already are not affected. Takes some microseconds if set() only looked.
  void clear() noexcept {
    // acquire pairs with set(): what its callers did before is visible, also when the flag was set twice. release: a
    // set() that follows orders after what this thread did.
    // No look before it, for which the line would move once more: what the exchange leaves behind tells enough.
    const std::uint32_t left =
        word_.fetch_and(detail::kEventKeptByClear, std::memory_order_acq_rel) & detail::kEventKeptByClear;
    // kEventLooked alone: see I8 in event.cpp. By the sign, of which GCC makes a jump on the exchange's own flags.
    if (static_cast<std::int32_t>(left) < 0) clear_slow();
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
  THREADING_COLD void clear_slow() noexcept;

  detail::backend::atomic<std::uint32_t> word_{0};
};

static_assert((detail::kEventFencers & detail::kEventLooked) == 0);
static_assert(sizeof(Event) == 4 || sizeof(detail::backend::atomic<std::uint32_t>) != 4);

}  // namespace threading::inline v1
