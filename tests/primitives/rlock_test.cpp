// SPDX-License-Identifier: MIT
//
// What is special about RLock: it has an owner, who may come back.
#include <threading/rlock.hpp>

#include <cstdint>
#include <functional>
#include <stop_token>
#include <utility>

#include <threading/embedding.hpp>

#include "support/lot.hpp"
#include "support/support.hpp"

namespace {

using namespace std::chrono_literals;
using namespace support;
using namespace threading;

constinit RLock global;
static_assert(sizeof(RLock) == 8);

void on_another_thread(std::function<void()> body) {
  Bunch other;
  other.add(std::move(body));
  other.join();
}

TEST(RLock, IsReadyBeforeAnyConstructor) {
  EXPECT_TRUE(global.acquire(no_wait));
  global.release();
}

// Every way of acquiring is a way of re-acquiring, and each level wants its release.
TEST(RLock, LetsItsOwnerInAgainByEveryWay) {
  RLock lock;
  std::stop_source stopped;
  stopped.request_stop();
  lock.acquire();
  EXPECT_TRUE(lock.acquire(true));
  EXPECT_TRUE(lock.acquire(false));
  EXPECT_TRUE(lock.acquire(no_wait));
  EXPECT_TRUE(lock.acquire(true, 1.0));
  EXPECT_TRUE(lock.acquire(-1s));
  EXPECT_TRUE(lock.acquire(forever, stopped.get_token()));
  EXPECT_TRUE(lock.try_lock());
  EXPECT_TRUE(lock.try_lock_for(0s));
  EXPECT_TRUE(lock.try_lock_until(std::chrono::steady_clock::now()));
  lock.lock();
  EXPECT_EQ(Embedding::depth(lock), 11u);
  for (int level = 11; level > 0; --level) {
    EXPECT_TRUE(lock.locked());
    on_another_thread([&] { EXPECT_FALSE(lock.try_lock()); });
    level % 2 == 0 ? lock.release() : lock.unlock();
  }
  EXPECT_FALSE(lock.locked());
  on_another_thread([&] {
    EXPECT_TRUE(lock.try_lock());
    lock.release();
  });
}

TEST(RLock, ReleaseOfAFreeLockIsAnErrorAndChangesNothing) {
  RLock lock;
  expect_error<RuntimeError>("cannot release un-acquired lock", [&] { lock.release(); });
  EXPECT_FALSE(lock.locked());
  lock.acquire();
  lock.release();
  expect_error<RuntimeError>("cannot release un-acquired lock", [&] { lock.release(); });
  EXPECT_EQ(Embedding::depth(lock), 0u);
}

// The same for a thread that has never touched the library, and so has no token that could be compared.
TEST(RLock, ReleaseByAThreadWithoutATokenIsAnError) {
  RLock lock;
  on_another_thread([&] { expect_error<RuntimeError>("cannot release un-acquired lock", [&] { lock.release(); }); });
  lock.acquire();
  on_another_thread([&] { expect_error<RuntimeError>("cannot release un-acquired lock", [&] { lock.release(); }); });
  EXPECT_TRUE(lock.locked());
  lock.release();
}

TEST(RLock, ReleaseByAnotherThreadIsAnErrorAndChangesNothing) {
  RLock lock;
  lock.acquire();
  lock.acquire();
  on_another_thread([&] {
    detail::thread_token();
    expect_error<RuntimeError>("cannot release un-acquired lock", [&] { lock.release(); });
  });
  EXPECT_EQ(Embedding::depth(lock), 2u);
  lock.release();
  lock.release();
  EXPECT_FALSE(lock.locked());
}

// At 2^32 - 1 levels one more is refused, however it is asked for, and the levels are all still there.
TEST(RLock, RefusesOneLevelTooMany) {
  RLock lock;
  lock.acquire();
  Embedding::set_depth(lock, UINT32_MAX);
  expect_error<OverflowError>("Internal lock count overflowed", [&] { lock.acquire(); });
  expect_error<OverflowError>("Internal lock count overflowed", [&] { lock.acquire(false); });
  expect_error<OverflowError>("Internal lock count overflowed", [&] { lock.acquire(1ms); });
  EXPECT_FALSE(lock.try_lock());
  EXPECT_EQ(Embedding::depth(lock), UINT32_MAX);
  Embedding::set_depth(lock, 1);
  lock.release();
  EXPECT_FALSE(lock.locked());
}

// Woken by whatever path, the new owner has exactly one level.
TEST(RLock, StartsAtOneLevelAfterAWait) {
  RLock lock;
  lock.acquire();
  lock.acquire();
  Bunch waiters_;
  for (int i = 0; i < 3; ++i) {
    waiters_.add([&] {
      lock.acquire();
      EXPECT_EQ(Embedding::depth(lock), 1u);
      EXPECT_EQ(Embedding::owner(lock), detail::thread_token());
      EXPECT_TRUE(Embedding::is_owned(lock));
      lock.acquire();
      lock.release();
      lock.release();
      EXPECT_FALSE(Embedding::is_owned(lock));
    });
  }
  ASSERT_TRUE(eventually([&] { return waiters(lock) == 3; }));
  lock.release();
  EXPECT_FALSE(eventually([&] { return waiters(lock) < 3; }, kShortDelay)) << "one of two levels let others in";
  lock.release();
}

// A thread that ends while it holds the lock leaves it held; the next threads are not taken for the dead owner.
TEST(RLock, OfADeadOwnerBelongsToNobodyElse) {
  RLock lock;
  on_another_thread([&] { lock.acquire(); });
  for (int i = 0; i < 50; ++i) {
    on_another_thread([&] {
      EXPECT_FALSE(lock.try_lock());
      expect_error<RuntimeError>("cannot release un-acquired lock", [&] { lock.release(); });
    });
  }
  EXPECT_TRUE(lock.locked());
}

// Many threads nest to different depths: nobody is inside while another is.
TEST(RLock, ExcludesAtEveryDepth) {
  RLock lock;
  int inside = 0;
  Bunch bunch(4, [&](int index) {
    for (int i = 0; i < rounds(4'000); ++i) {
      const int depth = (index + i) % 4 + 1;
      for (int level = 0; level < depth; ++level) {
        lock.acquire();
        ASSERT_EQ(inside, level);
        ++inside;
      }
      for (int level = depth; level > 0; --level) {
        ASSERT_EQ(inside--, level);
        lock.release();
      }
    }
  });
}

}  // namespace
