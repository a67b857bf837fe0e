// SPDX-License-Identifier: MIT
#include "parking/table.hpp"

#include <functional>

namespace threading::inline v1::parking {

constinit Bucket table[kBuckets];

SpinHistory& spin_history(const void* key) noexcept { return bucket_of(key).spin_history; }

Bucket& LockedBucket::lock_of(const Waiter& waiter) noexcept {
  for (;;) {
    // relaxed: a guess until it is read again under the lock.
    const void* const key = waiter.key.load(std::memory_order_relaxed);
    Bucket& bucket = bucket_of(key);
    bucket.lock.lock();
    // relaxed: changed only under the lock of the bucket it names, which is held if the guess was right.
    if (waiter.key.load(std::memory_order_relaxed) == key) return bucket;
    bucket.lock.unlock();
  }
}

LockedBuckets::LockedBuckets(const void* a, const void* b) noexcept : a_(bucket_of(a)), b_(bucket_of(b)) {
  if (std::less<>()(&b_, &a_)) {
    b_.lock.lock();
    a_.lock.lock();
  } else {
    a_.lock.lock();
    if (&a_ != &b_) b_.lock.lock();
  }
}

LockedBuckets::~LockedBuckets() {
  if (&a_ != &b_) b_.lock.unlock();
  a_.lock.unlock();
}

void lock_table() noexcept {
  for (Bucket& bucket : table) bucket.lock.lock();
}

void unlock_table() noexcept {
  for (Bucket& bucket : table) bucket.lock.unlock();
}

void reset_table_after_fork() noexcept {
  for (Bucket& bucket : table) {
    bucket.lock.reset_after_fork();
    bucket.spin_history.reset_after_fork();
    bucket.first_queue = nullptr;
    bucket.coming = nullptr;
    bucket.fencing = 0;  // they stayed behind; a mode of theirs is as good as `exchange`
  }
}

}  // namespace threading::inline v1::parking
