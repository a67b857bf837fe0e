// SPDX-License-Identifier: MIT
//
// A lock that is freed by a store, and whom that store may have missed. Each test does by hand what a release does
// whose thread loses its processor in the middle.
#include <threading/detail/lock_word.hpp>

#include <atomic>

#include <threading/lock.hpp>
#include <threading/rlock.hpp>

#include "support/lot.hpp"
#include "support/support.hpp"

namespace {

using namespace support;
using namespace threading;
using detail::has_parked;
using detail::is_blind;
using detail::is_held;
using detail::LockWord;
using detail::release_mode;
using detail::ReleaseMode;

std::uint32_t value(const LockWord& word) { return word.load(std::memory_order_relaxed); }

class MissedWaiter : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(detail::try_take(word_, detail::thread_token())); }

  // A thread that waits for the lock, and counts once it has it. Returns when it is queued.
  void queue_one(const WaitKind& kind = detail::kLockKind) {
    const std::size_t before = waiters_at(&word_);
    threads_.add([this, &kind] {
      const detail::ThreadToken self = detail::thread_token();
      EXPECT_EQ(detail::lock_word(word_, self, kind, {}), detail::WaitOutcome::ok);
      ++owners_;
      EXPECT_TRUE(detail::give_back(word_, self) || detail::unlock_word(word_));
    });
    ASSERT_TRUE(eventually([&] { return waiters_at(&word_) == before + 1; }));
  }
  // What a release stores that has not looked at the mode since somebody queued.
  void free_unseen() { word_.store(0, std::memory_order_release); }

  LockWord word_{0};
  std::atomic<int> owners_{0};
  Bunch threads_;  // last: joined first
};

TEST_F(MissedWaiter, IsWoken) {
  queue_one();
  free_unseen();
  detail::wake_missed(word_);
  threads_.join();
  EXPECT_EQ(owners_, 1);
  EXPECT_FALSE(is_held(value(word_)));
}

TEST_F(MissedWaiter, IsWokenWithAllThatQueuedBehind) {
  for (const WaitKind* kind : {&detail::kRLockKind, &detail::kRLockKind, &detail::kRLockKind}) {
    ASSERT_NO_FATAL_FAILURE(queue_one(*kind));
  }
  free_unseen();
  detail::wake_missed(word_);
  threads_.join();
  EXPECT_EQ(owners_, 3);
}

// Somebody else has the lock by then: the waiter sleeps on, and the next release comes through the queue.
TEST_F(MissedWaiter, IsMarkedInALockThatWasTakenAgain) {
  queue_one();
  free_unseen();
  ASSERT_TRUE(detail::try_take(word_, detail::thread_token()));
  detail::wake_missed(word_);
  EXPECT_TRUE(has_parked(value(word_)));
  EXPECT_EQ(waiters_at(&word_), 1u);
  EXPECT_EQ(owners_, 0);
  ASSERT_TRUE(detail::unlock_word(word_));
  threads_.join();
  EXPECT_EQ(owners_, 1);
}

TEST_F(MissedWaiter, IsLeftAloneWhileItsMarkIsThere) {
  queue_one();
  const std::uint32_t before = value(word_);
  detail::wake_missed(word_);
  EXPECT_EQ(value(word_), before);
  EXPECT_EQ(waiters_at(&word_), 1u);
  ASSERT_TRUE(detail::unlock_word(word_));
}

TEST_F(MissedWaiter, OfAnotherKindIsNone) {
  constexpr WaitKind kOther{"Other"};
  const std::uint32_t before = value(word_);
  threads_.add([&] {
    static_cast<void>(park(
        &word_, kOther, []() noexcept { return true; }, []() noexcept {}, [](bool, LeaveReason) noexcept {}));
  });
  ASSERT_TRUE(eventually([&] { return waiters_at(&word_) == 1; }));
  detail::wake_missed(word_);
  EXPECT_EQ(value(word_), before);
  EXPECT_EQ(unpark_one(&word_), 1u);
  ASSERT_TRUE(detail::unlock_word(word_));
}

// Both ways to free a lock know who has none.
TEST(FreedByStore, AFreeLockIsAnErrorAsEver) {
  Lock lock;
  for (const ReleaseMode mode : {ReleaseMode::exchange, ReleaseMode::store, ReleaseMode::blind}) {
    if (mode != ReleaseMode::exchange && !detail::backend::has_heavy_fence()) continue;
    release_mode(&lock).store(mode, std::memory_order_relaxed);
    expect_error<RuntimeError>("release unlocked lock", [&] { lock.release(); });
    EXPECT_FALSE(lock.locked());
    lock.acquire();
    lock.release();
    EXPECT_FALSE(lock.locked());
  }
}

// Who contends for a lock that is soon free again wants it freed without a look: it says so not each time, but soon.
TEST(FreedByStore, IsBlindWhereThreadsContendForBriefLocks) {
  if (!detail::backend::has_heavy_fence()) GTEST_SKIP() << "this kernel has no membarrier()";
  LockWord word{0};
  const detail::ThreadToken self = detail::thread_token();
  release_mode(&word).store(ReleaseMode::store, std::memory_order_relaxed);
  ASSERT_TRUE(eventually([&] {
    EXPECT_EQ(detail::lock_word(word, self, detail::kLockKind, {}), detail::WaitOutcome::ok);
    EXPECT_TRUE(detail::give_back(word, self));
    return is_blind(release_mode(&word).load(std::memory_order_relaxed));
  }));
  EXPECT_FALSE(is_held(value(word)));
}

// Threads that only now and then meet, so that both modes take turns: nobody is lost, and nothing that they did.
TEST(FreedByStore, CountsWithThreadsThatMeetNowAndThen) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 20'000;
  Lock lock;
  RLock other;
  int n = 0;
  int m = 0;
  Bunch bunch(kThreads, [&](int index) {
    for (int i = 0; i != kRounds; ++i) {
      lock.acquire();
      ++n;
      if (i % 1'000 == index) detail::backend::yield();
      lock.release();
      other.acquire();
      ++m;
      other.release();
    }
  });
  bunch.join();
  EXPECT_EQ(n, kThreads * kRounds);
  EXPECT_EQ(m, kThreads * kRounds);
}

// What a thread measures its rounds by; src/parking/rounds.hpp.
TEST(LockWord, CountsEveryReleaseThatNobodyWaitedForWhileARoundIsMeasured) {
  threading::detail::Rounds& rounds = threading::detail::backend::per_thread().rounds;
  Lock lock;
  for (const bool is_measured : {true, false}) {
    rounds = {};
    if (is_measured) rounds.history = &lock;
    for (int i = 0; i < 10'000; ++i) {  // by exchanges first, then by stores, where the system has them
      lock.acquire();
      lock.release();
    }
    EXPECT_EQ(rounds.released, is_measured ? 10'000u : 0u);
  }
}

}  // namespace
