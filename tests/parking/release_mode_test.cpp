// SPDX-License-Identifier: MIT
//
// When the locks of a bucket are freed by stores, and when by exchanges.
#include "parking/release_mode.hpp"

#include "lot_fixture.hpp"
#include "parking/table.hpp"

namespace {

using namespace lot_test;
using detail::consider_stores;
using detail::distrust;
using detail::is_blind;
using detail::release_mode;
using detail::ReleaseMode;
using parking::bucket_of;
using parking::frees_by_exchange;
using parking::require_exchanges;
using parking::store_blindly;

ReleaseMode mode(const void* key) { return release_mode(key).load(std::memory_order_relaxed); }

#define NEEDS_FENCES() \
  if (!detail::backend::has_heavy_fence()) GTEST_SKIP() << "this kernel has no membarrier()"

using ReleaseModeTest = LotTest;

// A key whose bucket nothing has used before.
const void* fresh_key() {
  static std::uintptr_t last = 0x1000;
  for (;; last += 64) {
    const auto* key = reinterpret_cast<const void*>(last);
    if (mode(key) == ReleaseMode::exchange && bucket_of(key).penalty == 0) return key;
  }
}

TEST_F(ReleaseModeTest, BeginsWithExchanges) {
  const void* const key = fresh_key();
  EXPECT_TRUE(frees_by_exchange(key));
  require_exchanges(key);
  EXPECT_EQ(mode(key), ReleaseMode::exchange);
}

TEST_F(ReleaseModeTest, StoresWhileNobodyIsQueued) {
  NEEDS_FENCES();
  const void* const key = fresh_key();
  consider_stores(key);
  EXPECT_EQ(mode(key), ReleaseMode::store);
  EXPECT_FALSE(frees_by_exchange(key));
  consider_stores(key);
  EXPECT_EQ(mode(key), ReleaseMode::store);
}

TEST_F(ReleaseModeTest, ExchangesWhileSomebodyIsQueued) {
  NEEDS_FENCES();
  const void* const key = fresh_key();
  park_thread(key, 1);
  consider_stores(key);
  EXPECT_EQ(mode(key), ReleaseMode::exchange);
  drain(key);
  consider_stores(key);
  EXPECT_EQ(mode(key), ReleaseMode::store);
}

TEST_F(ReleaseModeTest, ExchangesWhileSomebodyFences) {
  NEEDS_FENCES();
  const void* const key = fresh_key();
  ++bucket_of(key).fencing;
  consider_stores(key);
  EXPECT_EQ(mode(key), ReleaseMode::exchange);
  --bucket_of(key).fencing;
}

TEST_F(ReleaseModeTest, WhoWantsToQueueEndsTheStores) {
  NEEDS_FENCES();
  const void* const key = fresh_key();
  consider_stores(key);
  require_exchanges(key);
  EXPECT_TRUE(frees_by_exchange(key));
  EXPECT_EQ(bucket_of(key).fencing, 0u);
}

TEST_F(ReleaseModeTest, KnowsSinceWhenItStores) {
  NEEDS_FENCES();
  const void* const key = fresh_key();
  const std::int64_t before = detail::backend::monotonic_now();
  consider_stores(key);
  EXPECT_GE(bucket_of(key).stores_since, before);
  require_exchanges(key);
}

// Each time a mode of its own, by which a thread knows that there was no other meanwhile.
TEST_F(ReleaseModeTest, StoresBlindlyWhereItStores) {
  NEEDS_FENCES();
  const void* const key = fresh_key();
  store_blindly(key, true);
  EXPECT_EQ(mode(key), ReleaseMode::exchange);
  consider_stores(key);
  store_blindly(key, true);
  const ReleaseMode first = mode(key);
  EXPECT_TRUE(is_blind(first));
  store_blindly(key, true);
  EXPECT_EQ(mode(key), first);
  store_blindly(key, false);
  EXPECT_EQ(mode(key), ReleaseMode::store);
  store_blindly(key, false);
  EXPECT_EQ(mode(key), ReleaseMode::store);
  store_blindly(key, true);
  EXPECT_TRUE(is_blind(mode(key)));
  EXPECT_NE(mode(key), first);
  consider_stores(key);
  EXPECT_EQ(mode(key), ReleaseMode::store) << "now and then, whether or not anybody contends";
  store_blindly(key, true);
  require_exchanges(key);
  EXPECT_TRUE(frees_by_exchange(key));
  EXPECT_EQ(bucket_of(key).fencing, 0u);
}

// What ends a blind mode makes releases exchange for a while; whoever queues has to fence all the same.
TEST_F(ReleaseModeTest, DistrustEndsBlindStoresOnly) {
  NEEDS_FENCES();
  const void* const key = fresh_key();
  distrust(key);
  EXPECT_EQ(mode(key), ReleaseMode::exchange);
  consider_stores(key);
  distrust(key);
  EXPECT_EQ(mode(key), ReleaseMode::store);
  store_blindly(key, true);
  distrust(key);
  EXPECT_EQ(mode(key), ReleaseMode::fencing) << "nobody has fenced";
  store_blindly(key, true);
  EXPECT_EQ(mode(key), ReleaseMode::fencing);
  consider_stores(key);
  EXPECT_EQ(mode(key), ReleaseMode::store);
  store_blindly(key, true);
  distrust(key);
  require_exchanges(key);
  EXPECT_TRUE(frees_by_exchange(key));
  EXPECT_EQ(bucket_of(key).fencing, 0u);
}

// What counts for the next fence is how long none was needed, however the locks were freed meanwhile.
TEST_F(ReleaseModeTest, LearnsFromWhatBeganBeforeADistrust) {
  NEEDS_FENCES();
  const void* const key = fresh_key();
  const auto come_and_go = [key] {
    store_blindly(key, true);
    distrust(key);
  };
  bucket_of(key).penalty = 15;
  consider_stores(key);
  bucket_of(key).stores_since = 0;
  come_and_go();
  consider_stores(key);
  come_and_go();
  require_exchanges(key);
  EXPECT_EQ(bucket_of(key).penalty, 7) << "long enough";

  bucket_of(key).patience = 0;
  consider_stores(key);
  bucket_of(key).stores_since = INT64_MAX;
  come_and_go();
  require_exchanges(key);
  EXPECT_EQ(bucket_of(key).penalty, 15) << "another fence at once";
}

TEST_F(ReleaseModeTest, DoesNotWaitForTheBucket) {
  NEEDS_FENCES();
  const void* const key = fresh_key();
  consider_stores(key);
  {
    const parking::LockedBucket bucket(key);
    store_blindly(key, true);
    EXPECT_EQ(mode(key), ReleaseMode::store);
  }
  store_blindly(key, true);
  {
    const parking::LockedBucket bucket(key);
    store_blindly(key, false);
    EXPECT_TRUE(is_blind(mode(key)));
    distrust(key);
  }
  EXPECT_EQ(mode(key), ReleaseMode::fencing) << "a lock is freed in any case";
  require_exchanges(key);
}

// Stores that ended at once were not worth the fence: the next ones are considered later, and ever later.
TEST_F(ReleaseModeTest, WaitsLongerAfterStoresThatEndedAtOnce) {
  NEEDS_FENCES();
  const void* const key = fresh_key();
  int looks = 0;
  int before = 0;
  for (int round = 0; round != 4; ++round) {
    for (looks = 1; consider_stores(key), mode(key) != ReleaseMode::store; ++looks) ASSERT_LT(looks, 10'000);
    EXPECT_GE(looks, before);
    before = looks;
    // As if they had begun just now, however late this thread runs.
    bucket_of(key).stores_since = INT64_MAX;
    require_exchanges(key);
  }
  EXPECT_EQ(bucket_of(key).penalty, 15);
}

TEST_F(ReleaseModeTest, ForgivesAfterStoresThatLasted) {
  NEEDS_FENCES();
  const void* const key = fresh_key();
  bucket_of(key).penalty = 15;
  consider_stores(key);
  bucket_of(key).stores_since = 0;
  require_exchanges(key);
  EXPECT_EQ(bucket_of(key).penalty, 7);
  EXPECT_EQ(bucket_of(key).patience, 7);
}

// The count of a thread: it looks at its first exchange, then once in a while.
TEST_F(ReleaseModeTest, LooksOnceInAWhile) {
  NEEDS_FENCES();
  const void* const key = fresh_key();
  Bunch thread;
  thread.add([&] {
    detail::count_exchange(key);
    EXPECT_EQ(mode(key), ReleaseMode::store);
    require_exchanges(key);
    bucket_of(key).patience = 0;
    int exchanges = 0;
    for (; mode(key) != ReleaseMode::store; ++exchanges) {
      ASSERT_LT(exchanges, 1'000);
      detail::count_exchange(key);
    }
    EXPECT_EQ(exchanges, 256);
  });
}

TEST_F(ReleaseModeTest, AForkedChildMayQueueAndStoreAgain) {
  NEEDS_FENCES();
  const void* const key = fresh_key();
  ++bucket_of(key).fencing;
  release_mode(key).store(ReleaseMode::fencing, std::memory_order_relaxed);
  expect_child(exited(0), "", [key] {
    require_exchanges(key);
    EXPECT_TRUE(frees_by_exchange(key));
    bucket_of(key).patience = 0;
    consider_stores(key);
    EXPECT_EQ(mode(key), ReleaseMode::store);
  });
  --bucket_of(key).fencing;
  require_exchanges(key);
}

}  // namespace
