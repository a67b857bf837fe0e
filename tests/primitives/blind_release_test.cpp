// SPDX-License-Identifier: MIT
//
// Locks that a thread frees without a look at them, since it knows that it holds them; and whatever ends that
// knowledge. Where the word says more than the thread knows, a mark that nobody waits for, a release that looks says
// so.
#include <threading/detail/lock_word.hpp>

#include <atomic>
#include <functional>
#include <new>
#include <thread>

#include <threading/condition.hpp>
#include <threading/embedding.hpp>
#include <threading/lock.hpp>
#include <threading/rlock.hpp>

#include "support/bunch.hpp"
#include "support/errors.hpp"
#include "support/support.hpp"

namespace {

using namespace support;
using namespace threading;
using detail::give_back;
using detail::LockWord;
using detail::release_mode;
using detail::ReleaseMode;
using detail::try_take;

class BlindRelease : public testing::Test {
 protected:
  void SetUp() override {
    if (!detail::backend::has_heavy_fence()) GTEST_SKIP() << "this kernel has no membarrier()";
    begin();
  }

  // By each thread that is to know what it holds: it has a token, and no look is due.
  static void begin() {
    static_cast<void>(detail::thread_token());
    detail::backend::per_thread().exchanges_left = 1'000'000;
  }
  // A blind mode that there was not yet, for the bucket of that address.
  static void make_blind(const void* key) { release_mode(key).store(next_blind(), std::memory_order_relaxed); }
  // The same if the mode is `store`, as threads do that contend.
  static void begin_blindness(const void* key) {
    ReleaseMode seen = ReleaseMode::store;
    release_mode(key).compare_exchange_strong(seen, next_blind(), std::memory_order_relaxed);
  }
  static ReleaseMode next_blind() {
    static std::atomic<std::uint32_t> last{0xF0000000u};
    return ReleaseMode{++last};
  }
  // So that the calling thread knows the next time that it takes it.
  template <class AnyLock>
  static void use_once(AnyLock& lock) {
    lock.acquire();
    lock.release();
  }
  template <class AnyLock>
  static void make_known(AnyLock& lock) {
    begin();
    make_blind(&lock);
    use_once(lock);
  }
  // As the calling thread, which knows it. Returns: its token.
  static detail::ThreadToken hold(LockWord& word) {
    const detail::ThreadToken self = detail::thread_token();
    make_blind(&word);
    EXPECT_TRUE(try_take(word, self));
    EXPECT_TRUE(give_back(word, self));
    EXPECT_TRUE(try_take(word, self));
    return self;
  }
  static void elsewhere(const std::function<void()>& function) { std::thread(function).join(); }

  // Whether a release of a lock that is marked, though nobody waits, has not seen that. Frees it in any case.
  static bool frees_unseen(LockWord& word, detail::ThreadToken token) {
    word.fetch_or(detail::kParked, std::memory_order_relaxed);
    if (give_back(word, token)) return word.load(std::memory_order_relaxed) == 0;
    EXPECT_TRUE(detail::unlock_word(word));
    return false;
  }

  static constexpr const char* kUnlocked = "release unlocked lock";
};

TEST_F(BlindRelease, KnowsWhatItTook) {
  LockWord word{0};
  const detail::ThreadToken self = detail::thread_token();
  make_blind(&word);
  ASSERT_TRUE(try_take(word, self));
  EXPECT_FALSE(frees_unseen(word, self)) << "that mode it sees for the first time";
  ASSERT_TRUE(try_take(word, self));
  ASSERT_TRUE(give_back(word, self));
  ASSERT_TRUE(try_take(word, self));
  EXPECT_TRUE(frees_unseen(word, self));
  make_blind(&word);
  ASSERT_TRUE(try_take(word, self));
  EXPECT_FALSE(frees_unseen(word, self)) << "nor does it know that one";
}

TEST_F(BlindRelease, KnowsOnlyTheLastOne) {
  LockWord word{0};
  LockWord other{0};
  const detail::ThreadToken self = hold(word);
  ASSERT_TRUE(try_take(other, self));
  ASSERT_TRUE(give_back(other, self));
  EXPECT_FALSE(frees_unseen(word, self));
  EXPECT_EQ(other.load(std::memory_order_relaxed), 0u);
}

TEST_F(BlindRelease, ThreadsWithoutATokenLook) {
  LockWord word{0};
  make_blind(&word);
  elsewhere([&] {
    detail::backend::per_thread().exchanges_left = 1'000'000;
    for (int i = 0; i != 3; ++i) {
      EXPECT_EQ(detail::thread_token_hint(), 0u);
      EXPECT_TRUE(try_take(word, 0));
      EXPECT_TRUE(give_back(word, 0));
    }
    EXPECT_TRUE(try_take(word, 0));
    EXPECT_FALSE(frees_unseen(word, 0));
  });
}

TEST_F(BlindRelease, OnceForEachTimeItTookIt) {
  Lock lock;
  make_known(lock);
  use_once(lock);
  for (int i = 0; i != 2; ++i) expect_error<RuntimeError>(kUnlocked, [&] { lock.release(); });
  EXPECT_FALSE(lock.locked());
  use_once(lock);
}

TEST_F(BlindRelease, OfALockThatAnotherFreed) {
  Lock lock;
  make_known(lock);
  lock.acquire();
  elsewhere([&] { lock.release(); });
  expect_error<RuntimeError>(kUnlocked, [&] { lock.release(); });
  EXPECT_FALSE(lock.locked());
  use_once(lock);
}

// It may: a Lock belongs to nobody. But then the other knows nothing any more.
TEST_F(BlindRelease, OfALockThatAnotherFreedAndTook) {
  Lock lock;
  make_known(lock);
  lock.acquire();
  elsewhere([&] {
    lock.release();
    make_known(lock);
    lock.acquire();
    elsewhere([&] {
      EXPECT_TRUE(lock.locked());
      lock.release();
    });
    expect_error<RuntimeError>(kUnlocked, [&] { lock.release(); });
    lock.acquire();
  });
  lock.release();
  EXPECT_FALSE(lock.locked());
}

TEST_F(BlindRelease, OfALockWithAMarkThatAnotherFreed) {
  LockWord word{0};
  const detail::ThreadToken self = hold(word);
  word.fetch_or(detail::kParked, std::memory_order_relaxed);
  elsewhere([&] { EXPECT_TRUE(detail::unlock_word(word)); });
  EXPECT_FALSE(give_back(word, self));
  EXPECT_FALSE(detail::unlock_word(word));
}

TEST_F(BlindRelease, OfALockThatItFreedInTheSlowWay) {
  LockWord word{0};
  const detail::ThreadToken self = hold(word);
  ASSERT_TRUE(detail::unlock_word(word));
  EXPECT_FALSE(give_back(word, self));
  EXPECT_FALSE(detail::unlock_word(word));
}

// Where nobody contends for it any more. Whoever looks does so for all.
TEST_F(BlindRelease, ComesToAnEnd) {
  Lock lock;
  make_known(lock);
  const auto mode = [&] { return release_mode(&lock).load(std::memory_order_relaxed); };
  int times = 0;
  for (; mode() != ReleaseMode::store; ++times) {
    ASSERT_LT(times, 10'000);
    use_once(lock);
  }
  EXPECT_GT(times, 1);
  make_blind(&lock);
  elsewhere([&] { use_once(lock); });
  EXPECT_EQ(mode(), ReleaseMode::store) << "a thread's first exchange";
}

template <class AnyLock>
void expect_new_life_is_noticed(const char* message, const std::function<void(const std::function<void()>&)>& by,
                                const std::function<void(AnyLock&)>& make_known) {
  alignas(AnyLock) unsigned char memory[sizeof(AnyLock)];
  auto* lock = ::new (memory) AnyLock;
  make_known(*lock);
  lock->acquire();
  lock->~AnyLock();
  by([&] { lock = ::new (memory) AnyLock; });
  expect_error<RuntimeError>(message, [&] { lock->release(); });
  EXPECT_FALSE(lock->locked());
  lock->acquire();
  lock->release();
  lock->~AnyLock();
}

// A lock may go while it is held. One that begins in its place is free.
TEST_F(BlindRelease, OfALockThatIsAnotherNow) {
  const auto here = [](const std::function<void()>& function) { function(); };
  const auto there = [](const std::function<void()>& function) { elsewhere(function); };
  expect_new_life_is_noticed<Lock>(kUnlocked, here, make_known<Lock>);
  expect_new_life_is_noticed<Lock>(kUnlocked, there, make_known<Lock>);
  expect_new_life_is_noticed<RLock>("cannot release un-acquired lock", here, make_known<RLock>);
  expect_new_life_is_noticed<RLock>("cannot release un-acquired lock", there, make_known<RLock>);
}

TEST_F(BlindRelease, OfALockThatWasReset) {
  Lock lock;
  make_known(lock);
  lock.acquire();
  Embedding::reset_after_fork(lock);
  expect_error<RuntimeError>(kUnlocked, [&] { lock.release(); });
  RLock rlock;
  make_known(rlock);
  rlock.acquire();
  Embedding::reset_after_fork(rlock);
  expect_error<RuntimeError>("cannot release un-acquired lock", [&] { rlock.release(); });
}

TEST_F(BlindRelease, OfALockThatAConditionHasFreed) {
  Lock lock;
  Condition condition(lock);
  make_known(lock);
  lock.acquire();
  elsewhere([&] { EXPECT_FALSE(lock.acquire(false)); });
  EXPECT_FALSE(condition.wait(std::chrono::milliseconds(1)));
  EXPECT_TRUE(lock.locked());
  lock.release();
  expect_error<RuntimeError>(kUnlocked, [&] { lock.release(); });
}

TEST_F(BlindRelease, OfALockThatIsNotHeldByTheThread) {
  RLock lock;
  make_known(lock);
  lock.acquire();
  elsewhere([&] { expect_error<RuntimeError>("cannot release un-acquired lock", [&] { lock.release(); }); });
  EXPECT_TRUE(lock.locked());
  lock.acquire();
  lock.release();
  EXPECT_TRUE(lock.locked());
  lock.release();
  EXPECT_FALSE(lock.locked());
}

// Who waits is not forgotten, nor is what the threads did.
TEST_F(BlindRelease, CountsWhileTheModesChange) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 20'000;
  Lock lock;
  int n = 0;
  Bunch bunch(kThreads, [&](int index) {
    for (int i = 0; i != kRounds; ++i) {
      lock.acquire();
      ++n;
      if (i % 1'000 == index) detail::backend::yield();
      if (i % 64 == index) begin_blindness(&lock);
      if (i % 128 == index + kThreads) detail::distrust(&lock);
      lock.release();
    }
  });
  bunch.join();
  EXPECT_EQ(n, kThreads * kRounds);
  expect_error<RuntimeError>(kUnlocked, [&] { lock.release(); });
}

}  // namespace
