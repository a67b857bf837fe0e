// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <threading/detail/backend.hpp>

namespace threading::inline v1::parking {

// The lock that guards a bucket of the lot, so it cannot use the lot: one word, a queue of waiters on their own
// stacks, a parker each. Not recursive, not fair, meant for sections of a few dozen instructions.
// Told in word_lock.cpp.
class WordLock {
 public:
  constexpr WordLock() noexcept = default;

  void lock() noexcept {
    if (!try_lock()) lock_slow();
  }

  // Does not block. May fail for no reason, and does if somebody is queued.
  bool try_lock() noexcept {
    std::uintptr_t seen = 0;
    // acquire pairs with the releases that clear kLocked. relaxed on failure: lock_slow() looks again.
    return word_.compare_exchange_weak(seen, kLocked, std::memory_order_acquire, std::memory_order_relaxed);
  }

  void unlock() noexcept {
    std::uintptr_t seen = kLocked;
    // release pairs with lock(). relaxed on failure: unlock_slow() looks again.
    if (!word_.compare_exchange_strong(seen, 0, std::memory_order_release, std::memory_order_relaxed)) unlock_slow();
  }

  // In a forked child: whoever held it or waited for it is gone.
  void reset_after_fork() noexcept { word_.store(0, std::memory_order_relaxed); }  // relaxed: one thread is left

 private:
  static constexpr std::uintptr_t kLocked = 1;
  static constexpr std::uintptr_t kQueueLocked = 2;

  void lock_slow() noexcept;
  void unlock_slow() noexcept;

  detail::backend::atomic<std::uintptr_t> word_{0};
};

}  // namespace threading::inline v1::parking
