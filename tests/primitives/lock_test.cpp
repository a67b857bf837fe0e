// SPDX-License-Identifier: MIT
//
// What is special about Lock: it has no owner.
#include <threading/lock.hpp>

#include <stop_token>

#include <threading/embedding.hpp>

#include "support/lot.hpp"
#include "support/support.hpp"

namespace {

using namespace support;
using namespace threading;

// As a global it needs no constructor to have run.
constinit Lock global;
static_assert(sizeof(Lock) == 4);

TEST(Lock, IsReadyBeforeAnyConstructor) {
  EXPECT_TRUE(global.acquire(no_wait));
  global.release();
}

TEST(Lock, ReleaseWhenUnlockedIsAnErrorAndChangesNothing) {
  Lock lock;
  for (int i = 0; i < 2; ++i) {
    expect_error<RuntimeError>("release unlocked lock", [&] { lock.release(); });
    EXPECT_FALSE(lock.locked());
  }
  EXPECT_TRUE(lock.acquire(no_wait));
  lock.release();
  expect_error<RuntimeError>("release unlocked lock", [&] { lock.release(); });
}

// The error is the same where the word still says that somebody waited.
TEST(Lock, ReleaseWhenUnlockedIsAnErrorAlsoAfterContention) {
  Lock lock;
  lock.acquire();
  Bunch waiter;
  waiter.add([&] {
    lock.acquire();
    lock.release();
  });
  ASSERT_TRUE(eventually([&] { return waiters(lock) == 1; }));
  lock.release();
  waiter.join();
  expect_error<RuntimeError>("release unlocked lock", [&] { lock.release(); });
}

TEST(Lock, MayBeReleasedByAnotherThread) {
  Lock lock;
  lock.acquire();
  Bunch other;
  other.add([&] { lock.release(); });
  other.join();
  EXPECT_FALSE(lock.locked());
  lock.acquire();
  Bunch with_waiter;
  with_waiter.add([&] {
    lock.acquire();
    lock.release();
  });
  ASSERT_TRUE(eventually([&] { return waiters(lock) == 1; }));
  with_waiter.add([&] { lock.release(); });
}

// A second acquire by the thread that holds it waits: there is no owner who might re-enter.
TEST(Lock, DoesNotLetItsHolderIn) {
  Lock lock;
  lock.acquire();
  EXPECT_FALSE(lock.try_lock());
  EXPECT_FALSE(lock.acquire(kShortDelay));
  lock.release();
}

// One thread acquires twice, another lets it go on: Lock as a signal, as the reference allows.
TEST(Lock, ServesAsASignal) {
  Lock lock;
  lock.acquire();
  Bunch other;
  other.add([&] {
    EXPECT_TRUE(eventually([&] { return waiters(lock) == 1; }));
    lock.release();
  });
  lock.acquire();
  lock.release();
}

// Who holds it is recorded for dump(), if the thread has a name yet; after a hand-over it is the woken thread.
TEST(Lock, KnowsItsHolderForDisplay) {
  Lock lock;
  EXPECT_EQ(Embedding::owner(lock), 0u);
  const ThreadToken self = detail::thread_token();
  lock.acquire();
  EXPECT_EQ(Embedding::owner(lock), self);
  std::atomic<bool> checked{false};
  Bunch waiter;
  waiter.add([&] {
    lock.acquire();
    EXPECT_EQ(Embedding::owner(lock), detail::thread_token());
    checked = true;
    lock.release();
  });
  ASSERT_TRUE(eventually([&] { return waiters(lock) == 1; }));
  lock.release();
  waiter.join();
  EXPECT_TRUE(checked);
  EXPECT_EQ(Embedding::owner(lock), 0u);
}

}  // namespace
