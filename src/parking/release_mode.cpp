// SPDX-License-Identifier: MIT
//
// Who pays for the question "does anybody wait?", which a release has to ask once it has freed the lock. To store and
// then to look does not do: every kind of processor may answer the look before others see the store, and a thread that
// has just queued up, and saw the lock held, sleeps for ever. An exchange does, each time. Here the first that queues
// up pays for all.
//
// Word     a mode for each bucket; in the bucket, under its lock, how many threads fence.
// States   exchange: releases exchange; somebody may be queued.
//          store: nobody is queued for a lock of the bucket, nobody fences; releases look at their lock and store, then
//          look at the mode again.
//          blind, with a number: the same, but who knows that it holds its lock (lock_word.cpp) does not look at it,
//          and who does not exchanges.
//          fencing: as exchange, but a release that read `store` before may still be under way, unseen. Somebody
//          fences, or nobody does and releases are only meant to exchange for a while.
// Moves    store or blind → fencing: by a thread that wants to queue for a lock, under the lock of the bucket.
//          fencing → exchange: by whoever fenced, after its fence, under the bucket's lock.
//          exchange or fencing → store: by a thread that has freed a lock by an exchange, once in so many times, under
//          the bucket's lock, while nobody is queued in the bucket and nobody fences.
//          store → blind, with the next number: by a thread that had to contend for a lock, under the bucket's lock.
//          blind → store: by one that had to contend and finds it not worth it, or by any once in so many releases,
//          under the bucket's lock. If distrust() has just come in between, that is overwritten: `store` does as well.
//          blind → fencing: by distrust(), in one exchange, with no bucket locked. Who wants to queue has to fence in
//          either mode.
// I1       Somebody is queued for a lock of the bucket only while the mode is `exchange`: who queues looks under the
//          bucket's lock, and the mode leaves `exchange` only while the bucket is empty.
// I2       `exchange` is written only by a thread that has fenced since the mode was last `store` or blind: it counts
//          as fencing from before its fence until then, and meanwhile nobody can make it `store` again. That the mode
//          is `fencing` already spares nobody the fence.
// I3       A release that stores is either seen by whoever queues later, or sees that the mode is another one. If it
//          looks before the fence that precedes the queuing, its store is before that fence, too, and who queues finds
//          the lock free. If it looks later, the fence has shown it the new mode; or the mode has come back, and then
//          nobody is queued any more.
// Orders   All relaxed: the bucket's lock orders the modes, and the fences do what the order of one access cannot. The
//          light fence of a release keeps the compiler from moving its look before its store; a heavy one makes the
//          processors of all other threads pass a full barrier.
// Destroy  After its store a release uses the lock's address only. That is why the modes are the lot's: a flag in the
//          lock may be gone as soon as the lock is free.
//
// Source: Dice, Huang and Yang, "Asymmetric Dekker Synchronization" (2001); the fences of P1202 (Goldblatt, 2018),
// which Linux has as membarrier().
#include "parking/release_mode.hpp"

#include <algorithm>
#include <limits>

#include "parking/table.hpp"

namespace threading::inline v1 {
namespace {

using detail::is_blind;
using detail::ReleaseMode;

// Locks that a thread frees by an exchange between two looks at a bucket: a fence costs what the stores of 200 releases
// save, 2,600 in the worst hours, and a look takes the bucket's line from those who queue there.
constexpr std::uint32_t kExchangesPerLook = 255;

// Stores have been worth their fence when nobody needed one for so long. Nanoseconds: nine fences in the worst hours,
// when one takes 11 µs, and a hundred in others. See ADR 26.
constexpr std::int64_t kWorthwhile = 100'000;
// Looks at which nothing is considered, after stores that were not: 1, 3, 7 … this. Where threads queue up all the
// time, one fence in a quarter of a million releases.
constexpr int kMaxPenalty = 1'023;

}  // namespace

namespace parking {
namespace {

// Requires: the bucket's lock.
void consider_stores_in(Bucket& bucket, const void* key) noexcept {
  auto& mode = detail::release_mode(key);
  const ReleaseMode now = mode.load(std::memory_order_relaxed);                  // relaxed: see Orders
  if (is_blind(now)) mode.store(ReleaseMode::store, std::memory_order_relaxed);  // relaxed: see Orders
  if (now >= ReleaseMode::store || bucket.first_queue != nullptr || bucket.fencing != 0) return;
  if (bucket.patience != 0) {
    --bucket.patience;
    return;
  }
  if (now == ReleaseMode::exchange) bucket.stores_since = detail::backend::monotonic_now();
  mode.store(ReleaseMode::store, std::memory_order_relaxed);  // relaxed: see Orders
}

}  // namespace
}  // namespace parking

namespace detail {

constinit backend::atomic<ReleaseMode> release_modes[kBuckets]{};

void end_blindness(const void* key) noexcept {
  auto& mode = release_mode(key);
  ReleaseMode seen = mode.load(std::memory_order_relaxed);  // relaxed: the exchange decides
  // relaxed, both: see Orders.
  while (is_blind(seen) && !mode.compare_exchange_weak(seen, ReleaseMode::fencing, std::memory_order_relaxed,
                                                       std::memory_order_relaxed)) {
  }
}

void consider_stores(const void* key) noexcept {
  std::uint32_t& left = backend::per_thread().exchanges_left;
  if (!backend::has_heavy_fence()) {
    left = std::numeric_limits<std::uint32_t>::max();
    return;
  }
  left = kExchangesPerLook;
  parking::Bucket& bucket = parking::bucket_of(key);
  // A release does not wait for the bucket.
  if (!bucket.lock.try_lock()) return;
  parking::consider_stores_in(bucket, key);
  bucket.lock.unlock();
}

}  // namespace detail

namespace parking {
namespace {

constinit detail::backend::atomic<std::uint32_t> blind_modes{0};  // that there were

ReleaseMode next_blind() noexcept {
  constexpr auto kFirst = static_cast<std::uint32_t>(ReleaseMode::blind);
  // relaxed: only uniqueness matters, and that it lasts for four thousand million.
  return ReleaseMode{std::max(kFirst, kFirst + blind_modes.fetch_add(1, std::memory_order_relaxed))};
}

void learn(Bucket& bucket) noexcept {
  const bool was_worthwhile = detail::backend::monotonic_now() - bucket.stores_since >= kWorthwhile;
  const int penalty = was_worthwhile ? bucket.penalty / 2 : std::min(2 * bucket.penalty + 1, kMaxPenalty);
  bucket.penalty = bucket.patience = static_cast<std::uint16_t>(penalty);
}

}  // namespace

void require_exchanges(const void* key) noexcept {
  auto& mode = detail::release_mode(key);
  if (frees_by_exchange(key)) return;  // asked again under the lock, by whoever queues
  {
    const LockedBucket bucket(key);
    if (frees_by_exchange(key)) return;
    if (bucket->fencing == 0) learn(*bucket.operator->());
    ++bucket->fencing;
    // relaxed: under the bucket's lock; the fence shows it to those who look without.
    mode.store(ReleaseMode::fencing, std::memory_order_relaxed);
  }
  detail::backend::heavy_fence();
  const LockedBucket bucket(key);
  --bucket->fencing;
  mode.store(ReleaseMode::exchange, std::memory_order_relaxed);  // relaxed: see Orders
}

void store_blindly(const void* key, bool blindly) noexcept {
  auto& mode = detail::release_mode(key);
  Bucket& bucket = bucket_of(key);
  // Who has just taken a lock does not wait for the bucket.
  if (!bucket.lock.try_lock()) return;
  const ReleaseMode now = mode.load(std::memory_order_relaxed);  // relaxed: see Orders
  if (blindly ? now == ReleaseMode::store : is_blind(now)) {
    mode.store(blindly ? next_blind() : ReleaseMode::store, std::memory_order_relaxed);  // relaxed: see Orders
  }
  bucket.lock.unlock();
}

bool frees_by_exchange(const void* key) noexcept {
  return detail::release_mode(key).load(std::memory_order_relaxed) == ReleaseMode::exchange;  // relaxed: see Orders
}

}  // namespace parking
}  // namespace threading::inline v1
