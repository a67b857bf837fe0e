// SPDX-License-Identifier: MIT
//
// The state word that Lock and RLock share, and its fast paths. What the bits mean, who may change them and why the
// orders suffice is told once, in src/primitives/lock_word.cpp.
#pragma once

#include <cstdint>

#include <threading/detail/release_mode.hpp>
#include <threading/detail/thread_token.hpp>
#include <threading/parking_lot.hpp>
#include <threading/timeout.hpp>

namespace threading::inline v1::detail {

inline constexpr std::uint32_t kHeld = 1;
inline constexpr std::uint32_t kParked = 2;
inline constexpr unsigned kOwnerShift = 2;

using LockWord = backend::atomic<std::uint32_t>;

constexpr bool is_held(std::uint32_t word) noexcept { return (word & kHeld) != 0; }
constexpr bool has_parked(std::uint32_t word) noexcept { return (word & kParked) != 0; }
constexpr ThreadToken owner_of(std::uint32_t word) noexcept { return word >> kOwnerShift; }
constexpr std::uint32_t held_by(ThreadToken token) noexcept { return (token << kOwnerShift) | kHeld; }

// Takes a free lock for `token`. Returns: whether it was free.
inline bool try_take(LockWord& word, ThreadToken token) noexcept {
  std::uint32_t seen = 0;
  // acquire pairs with the release in give_back() and unlock_word(): the last critical section is visible. On
  // failure nothing is read under the lock: relaxed.
  if (word.compare_exchange_strong(seen, held_by(token), std::memory_order_acquire, std::memory_order_relaxed)) {
    backend::per_thread().taken = &word;
    return true;
  }
  // Free with somebody parked: barge, keeping the parked bit.
  while (!is_held(seen)) {
    // acquire, relaxed: as above.
    if (word.compare_exchange_weak(seen, held_by(token) | (seen & kParked), std::memory_order_acquire,
                                   std::memory_order_relaxed)) {
      backend::per_thread().taken = &word;
      return true;
    }
  }
  return false;
}

// After a lock was freed by a store that others may not have seen in time: lets nobody sleep beside it. The word is
// read only if somebody is queued for a lock there.
THREADING_API THREADING_COLD void wake_missed(LockWord& word) noexcept;

// Returns: false when the slow path must look.
// The exchange guesses what the word says rather than look first: while others spin, the word's line must be fetched
// from another processor for a look and once more for the exchange, and all that time the lock is held.
inline bool give_back_by_exchange(LockWord& word, ThreadToken token) noexcept {
  std::uint32_t seen = held_by(token);
  // release pairs with the acquire in try_take(). relaxed on failure: unlock_word() looks again.
  if (!word.compare_exchange_strong(seen, 0, std::memory_order_release, std::memory_order_relaxed)) return false;
  count_exchange(&word);
  return true;
}

// In a blind mode. A thread that knows that it holds the lock does not look: its store need not wait for a line that
// others have taken. Returns: as above.
THREADING_API bool give_back_blindly(LockWord& word, ThreadToken token, ReleaseMode mode) noexcept;

// Frees a lock that `token` took and nobody is parked for. Returns: false when the slow path must look.
// While nobody waits, by a store, which may wipe out the mark of a thread that is about to park; see lock_word.cpp.
inline bool give_back(LockWord& word, ThreadToken token) noexcept {
  const auto& mode = release_mode(&word);
  // relaxed: a mode from before costs an exchange, or is noticed below. The owner reads its own word.
  const ReleaseMode seen_mode = mode.load(std::memory_order_relaxed);
  if (seen_mode == ReleaseMode::store && word.load(std::memory_order_relaxed) == held_by(token)) {
    word.store(0, std::memory_order_release);  // pairs with the acquire in try_take()
    backend::light_fence();
    if (mode.load(std::memory_order_relaxed) != ReleaseMode::store) wake_missed(word);  // relaxed: after the fence
    // After the stores: before them it costs .3 ns.
    count_release();
    return true;
  }
  // unlikely: threads contend. In line its ways would cost the one above a jump.
  if (is_blind(seen_mode)) [[unlikely]]
    return give_back_blindly(word, token, seen_mode);
  return give_back_by_exchange(word, token);
}

// Waits for the lock. Returns: whether it was taken; false on timeout, `interrupted` as the lot says.
enum class WaitOutcome : std::uint8_t { ok, timed_out, interrupted };

struct WaitOptions {
  Deadline deadline = Deadline::never();
  bool interruptible = false;
  const backend::stop_token* stop = nullptr;
  SignalHook on_signal = {};  // honoured by Event, Condition and Barrier, whose waiters must not lose their place
};

// What park() returns as token to a thread that a release has woken, if not 0. It was handed the lock: it owns it
// already. Or whoever has released the lock is expected to take it again at once: it does well not to come in between.
inline constexpr std::uintptr_t kHandedOver = 1;
inline constexpr std::uintptr_t kNotDone = 2;

// Defined in src/primitives/lock_word.cpp. `kind` names the primitive in dump(). `at_front`: the caller has queued for
// this lock before and was woken; it has tried to take it, or has a reason not to try at once.
THREADING_API THREADING_COLD WaitOutcome lock_word(LockWord& word, ThreadToken token, const WaitKind& kind,
                                                   const WaitOptions& options, bool at_front = false);
// `is_done`: the caller is about to wait, and will not take the lock again soon.
// Returns: false when the word was not held; nothing has changed then.
[[nodiscard]] THREADING_API THREADING_COLD bool unlock_word(LockWord& word, bool is_done = false) noexcept;
// Waits until the lock looks free, without taking it. A caller that gets `ok` and then does not try to take the lock
// must call pass_on(), or others that wait for it may sleep beside a free lock.
THREADING_API THREADING_COLD WaitOutcome wait_until_free(LockWord& word, const WaitKind& kind,
                                                         const WaitOptions& options);
THREADING_API THREADING_COLD void pass_on(LockWord& word) noexcept;

THREADING_API extern const WaitKind kLockKind;
THREADING_API extern const WaitKind kRLockKind;

}  // namespace threading::inline v1::detail
