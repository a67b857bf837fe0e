// SPDX-License-Identifier: MIT
#pragma once

#include "parking/spin_wait.hpp"
#include "parking/waiter.hpp"
#include "parking/word_lock.hpp"

namespace threading::inline v1::parking {

// One slot of the table: the queues of all addresses that hash to it. Queue surgery, nothing else; every member
// function requires `lock`.
//
//   first_queue ─► W1 ─next─► W2 ─next─► W3        all wait at address A; W1 is first: it knows last and size
//                  │next_queue
//                  ▼
//                  W4                              waits at address B
//
// A queue per address, rather than one mixed list, keeps every operation O(1) in the number of waiters on one
// address; only finding the queue costs a walk over the addresses that share the bucket.
struct alignas(64) Bucket {
  WordLock lock;
  SpinHistory spin_history;
  Waiter* first_queue = nullptr;  // guarded by lock
  std::int64_t handed_over = 0;   // guarded by lock: when a waker last did, see QueueView; monotonic_now() nanoseconds
  // The last that was woken alone here, until it runs; guarded by lock, under which it takes itself out.
  const Waiter* coming = nullptr;
  // Of release_mode.cpp, guarded by lock:
  std::uint32_t fencing = 0;      // threads that make all others free locks by exchanges
  std::uint16_t patience = 0;     // looks left at which stores are not considered
  std::uint16_t penalty = 0;      // what patience begins with, next time
  std::int64_t stores_since = 0;  // when it last left `exchange`; monotonic_now() nanoseconds

  // Returns: the first waiter at `key`, null for none.
  Waiter* find(const void* key) const noexcept;
  void push_back(Waiter& waiter, const void* key) noexcept;
  void push_front(Waiter& waiter, const void* key) noexcept;
  // Requires: queued in this bucket.
  void remove(Waiter& waiter) noexcept;
  // Removes the first `count` of the queue that begins with `first`; they stay linked by `next`, ending in null.
  // Requires: 1 <= count <= first.size.
  void remove_front(Waiter& first, std::size_t count) noexcept;

 private:
  void link_queue(Waiter& first) noexcept;
  void unlink_queue(Waiter& first) noexcept;
  void replace_first(Waiter& old_first, Waiter& new_first, std::size_t size) noexcept;
};

}  // namespace threading::inline v1::parking
