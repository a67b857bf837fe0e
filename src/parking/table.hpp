// SPDX-License-Identifier: MIT
//
// Address → bucket. A fixed array in zero-initialised memory: usable before any constructor, never allocated, never
// moved, untouched pages cost nothing. Waiting threads, not primitives, fill it, so even ten thousand of them, each
// at an address of its own, leave a handful per bucket. docs/adr says what a growing table would buy.
#pragma once

#include <threading/detail/release_mode.hpp>

#include "parking/bucket.hpp"

namespace threading::inline v1::parking {

using detail::kBuckets;

extern constinit Bucket table[kBuckets];

inline Bucket& bucket_of(const void* key) noexcept { return table[detail::bucket_index(key)]; }

// Locks the bucket of a key for a scope.
class LockedBucket {
 public:
  explicit LockedBucket(const void* key) noexcept : bucket_(bucket_of(key)) { bucket_.lock.lock(); }
  // The bucket that the waiter is in now.
  explicit LockedBucket(const Waiter& waiter) noexcept : bucket_(lock_of(waiter)) {}
  LockedBucket(const LockedBucket&) = delete;
  LockedBucket& operator=(const LockedBucket&) = delete;
  ~LockedBucket() { bucket_.lock.unlock(); }

  Bucket* operator->() const noexcept { return &bucket_; }

 private:
  static Bucket& lock_of(const Waiter& waiter) noexcept;

  Bucket& bucket_;
};

// Locks the buckets of two keys, by ascending address, once if they are the same.
class LockedBuckets {
 public:
  LockedBuckets(const void* a, const void* b) noexcept;
  LockedBuckets(const LockedBuckets&) = delete;
  LockedBuckets& operator=(const LockedBuckets&) = delete;
  ~LockedBuckets();

  Bucket& first() const noexcept { return a_; }
  Bucket& second() const noexcept { return b_; }

 private:
  Bucket& a_;
  Bucket& b_;
};

// Every bucket, by ascending address: for a fork.
void lock_table() noexcept;
void unlock_table() noexcept;
// In a forked child: nobody waits.
void reset_table_after_fork() noexcept;

}  // namespace threading::inline v1::parking
