// SPDX-License-Identifier: MIT
//
// A Condition and its lock: errors, ownership, levels, and the queue that notified threads join.
#include <threading/condition.hpp>

#include <array>
#include <cmath>
#include <cstring>
#include <stop_token>
#include <vector>

#include <threading/embedding.hpp>
#include <threading/with.hpp>

#include "primitives/condition_fixture.hpp"

namespace {

using namespace std::chrono_literals;
using namespace condition_test;

constexpr const char* kCannotWait = "cannot wait on un-acquired lock";
constexpr const char* kCannotNotify = "cannot notify on un-acquired lock";

template <class Kind>
class ConditionLock : public Conditions<Kind> {};
TYPED_TEST_SUITE(ConditionLock, OwnKinds, KindNames);

// Without the lock nothing works, and nothing is changed by trying.
TYPED_TEST(ConditionLock, IsNeededForWaitingAndNotifying) {
  auto& cv = this->cv_;
  const auto check = [&] {
    expect_error<RuntimeError>(kCannotWait, [&] { cv.wait(); });
    expect_error<RuntimeError>(kCannotWait, [&] { cv.wait(no_wait); });
    expect_error<RuntimeError>(kCannotWait, [&] { cv.wait(1ms, std::stop_token()); });
    expect_error<RuntimeError>(kCannotWait, [&] { cv.wait_for([] { return false; }); });
    expect_error<RuntimeError>(kCannotWait, [&] { cv.wait_for([] { return false; }, no_wait); });
    expect_error<RuntimeError>(kCannotWait, [&] { cv.wait_for([] { return 0; }, -1.0, std::stop_token()); });
    expect_error<RuntimeError>(kCannotNotify, [&] { cv.notify(); });
    expect_error<RuntimeError>(kCannotNotify, [&] { cv.notify(0); });
    expect_error<RuntimeError>(kCannotNotify, [&] { cv.notify(5); });
    expect_error<RuntimeError>(kCannotNotify, [&] { cv.notify_all(); });
    EXPECT_FALSE(cv.locked());
    EXPECT_EQ(waiters(cv), 0u);
  };
  check();
  cv.acquire();
  cv.release();
  check();
}

// When all who waited are gone its word says so: a notify() in vain then takes two loads again, not a look at a queue.
TYPED_TEST(ConditionLock, IsAsItWasWhenNobodyWaitsAnyMore) {
  auto& cv = this->cv_;
  const auto word = [&] {
    std::array<unsigned char, sizeof(void*)> bytes{};
    std::memcpy(bytes.data(), &cv, bytes.size());
    return bytes;
  };
  const auto before = word();
  std::stop_source stop;
  this->wait_thread(1);
  this->wait_thread(2, forever, stop.get_token());
  EXPECT_NE(word(), before);
  this->notify(1);
  EXPECT_TRUE(eventually([&] { return this->returned() == 1; }));
  EXPECT_NE(word(), before) << "one waits yet";
  stop.request_stop();
  EXPECT_TRUE(eventually([&] { return this->returned() == 2; }));
  EXPECT_EQ(word(), before) << "after a stop";
  this->wait_thread(3);
  this->notify(1);
  EXPECT_TRUE(eventually([&] { return this->returned() == 3; }));
  EXPECT_EQ(word(), before) << "after a notification";
  {
    const With hold(cv);
    EXPECT_FALSE(cv.wait(no_wait));
  }
  EXPECT_EQ(word(), before) << "after a timeout";
}

// A predicate that is true at once asks for nothing.
TYPED_TEST(ConditionLock, IsNotNeededWhenThePredicateIsTrue) {
  EXPECT_TRUE(this->cv_.wait_for([] { return true; }));
}

// Waiters are still there after a notify() that was refused.
TYPED_TEST(ConditionLock, ARefusedNotifyWakesNobody) {
  this->wait_threads(2);
  expect_error<RuntimeError>(kCannotNotify, [&] { this->cv_.notify_all(); });
  EXPECT_EQ(waiters(this->cv_), 2u);
  this->expect_still_returned(0);
  this->notify_all();
}

// The lock's own operations, results and errors.
TYPED_TEST(ConditionLock, ShowsTheLocksOperations) {
  auto& cv = this->cv_;
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_FALSE(cv.locked());
  for (const bool taken : {cv.acquire(true), cv.try_lock()}) {
    if (!taken) continue;  // a Lock refuses the second
    EXPECT_TRUE(cv.locked());
    cv.release();
  }
  while (cv.locked()) cv.release();
  EXPECT_TRUE(cv.acquire(1ms));
  cv.unlock();
  EXPECT_TRUE(cv.acquire(forever, stopped.get_token()));
  Bunch other;
  other.add([&] {
    EXPECT_FALSE(cv.acquire(false));
    EXPECT_FALSE(cv.acquire(true, 0.0));
    EXPECT_FALSE(cv.acquire(no_wait));
    EXPECT_FALSE(cv.acquire(forever, stopped.get_token()));
    EXPECT_FALSE(cv.try_lock());
  });
  other.join();
  cv.release();
  expect_error<ValueError>("can't specify a timeout for a non-blocking call", [&] { cv.acquire(false, 1.0); });
  expect_error<ValueError>("timeout value must be a non-negative number", [&] { cv.acquire(-2.0); });
  EXPECT_FALSE(cv.locked());
}

TYPED_TEST(ConditionLock, ReleaseOfAFreeLockSaysWhatTheLockSays) {
  const char* const text =
      std::is_same_v<TypeParam, OverLock> ? "release unlocked lock" : "cannot release un-acquired lock";
  expect_error<RuntimeError>(text, [&] { this->cv_.release(); });
  EXPECT_FALSE(this->cv_.locked());
}

// A bad number throws before the lock is looked at.
TYPED_TEST(ConditionLock, JudgesTheTimeoutBeforeTheLock) {
  expect_error<ValueError>("Invalid value NaN (not a number)", [&] { this->cv_.wait(std::nan("")); });
  expect_error<OverflowError>("timestamp out of range for C PyTime_t", [&] { this->cv_.wait(1e100); });
}

// Notified threads stand in the lock's own queue: they are handed on one by one, by its releases, in their order as
// long as nobody else comes for the lock (so this test does not look at what the lock guards meanwhile).
TYPED_TEST(ConditionLock, NotifiedThreadsJoinTheLocksQueue) {
  this->wait_threads(4);
  EXPECT_EQ(waiters(this->cv_), 4u);
  this->cv_.acquire();
  this->cv_.notify(3);
  EXPECT_EQ(waiters(this->cv_), 1u);
  this->cv_.release();
  ASSERT_TRUE(eventually([&] { return this->done_ == 3; }));
  this->notify(1);
  this->threads_.join();
  EXPECT_EQ(this->order_, (std::vector<int>{0, 1, 2, 3}));
}

// A poll really lets go of the lock: whoever has waited for it longer than a moment is handed it.
TYPED_TEST(ConditionLock, APollLetsOthersIn) {
  auto& cv = this->cv_;
  bool entered = false;
  cv.acquire();
  Bunch other;
  other.add([&] {
    cv.acquire();
    entered = true;
    cv.release();
  });
  // Until it is queued at the lock; only then its age counts.
  ASSERT_TRUE(eventually([&] {
    static_cast<void>(cv.wait(no_wait));
    return entered;
  }));
  cv.release();
}

// A wait() with several levels gives all of them back, or the notifier could never get in; and takes as many again.
TEST(ConditionDepth, WaitReleasesAndRestoresEveryLevel) {
  RLock lock;
  Condition cv(lock);
  for (const std::uint32_t depth : {1u, 2u, 7u}) {
    std::atomic<bool> waiting{false};
    Bunch waiter;
    waiter.add([&] {
      for (std::uint32_t i = 0; i < depth; ++i) lock.acquire();
      waiting = true;
      EXPECT_TRUE(cv.wait());
      EXPECT_EQ(Embedding::depth(lock), depth);
      EXPECT_FALSE(cv.wait(no_wait));
      EXPECT_EQ(Embedding::depth(lock), depth);
      EXPECT_FALSE(cv.wait(1ms));
      EXPECT_EQ(Embedding::depth(lock), depth);
      for (std::uint32_t i = 0; i < depth; ++i) lock.release();
      expect_error<RuntimeError>("cannot release un-acquired lock", [&] { lock.release(); });
    });
    ASSERT_TRUE(eventually([&] { return waiting.load(); }));
    lock.acquire();  // only possible once the waiter has let go of every level
    lock.acquire();
    cv.notify();
    lock.release();
    lock.release();
  }
  EXPECT_FALSE(lock.locked());
}

// An RLock has an owner, and notifying is the owner's right; a Lock has none, and anybody may while it is held.
TEST(ConditionOwner, OnlyTheOwnerOfAnRLockMayUseIt) {
  Condition cv;
  cv.acquire();
  Bunch other;
  other.add([&] {
    expect_error<RuntimeError>(kCannotNotify, [&] { cv.notify(); });
    expect_error<RuntimeError>(kCannotWait, [&] { cv.wait(no_wait); });
    expect_error<RuntimeError>("cannot release un-acquired lock", [&] { cv.release(); });
  });
  other.join();
  EXPECT_TRUE(cv.locked());
  cv.release();
}

TEST(ConditionOwner, AnybodyMayNotifyWhileALockIsHeld) {
  Lock lock;
  Condition cv(lock);
  std::atomic<bool> returned{false};
  Bunch bunch;
  bunch.add([&] {
    lock.acquire();
    EXPECT_TRUE(cv.wait());
    returned = true;
    lock.release();
  });
  ASSERT_TRUE(eventually([&] { return waiters(cv) == 1 && !lock.locked(); }));
  lock.acquire();
  bunch.add([&] { cv.notify(); });
  ASSERT_TRUE(eventually([&] { return waiters(lock) == 1; }));
  EXPECT_FALSE(returned);
  lock.release();
}

// Two conditions over one lock do not take each other's notifications.
TEST(ConditionSharing, KeepsConditionsOverOneLockApart) {
  RLock lock;
  Condition readable(lock);
  Condition writable(lock);
  int read = 0;
  int written = 0;
  Bunch bunch;
  for (int i = 0; i < 2; ++i) {
    bunch.add([&] {
      const With hold(lock);
      EXPECT_TRUE(readable.wait());
      ++read;
    });
    bunch.add([&] {
      const With hold(lock);
      EXPECT_TRUE(writable.wait());
      ++written;
    });
  }
  ASSERT_TRUE(eventually([&] { return waiters(readable) == 2 && waiters(writable) == 2; }));
  {
    const With hold(lock);
    readable.notify_all();
  }
  ASSERT_TRUE(eventually([&] {
    const With hold(lock);
    return read == 2;
  }));
  EXPECT_EQ(waiters(writable), 2u);
  const With hold(lock);
  EXPECT_EQ(written, 0);
  writable.notify(2);
}

// The queue of the documentation's example: nothing is lost, nothing is doubled, with the order kept per producer.
TEST(ConditionQueue, CarriesEveryItemOnce) {
  Lock lock;
  Condition not_empty(lock);
  Condition not_full(lock);
  std::vector<int> queue;
  std::vector<int> taken;
  const int each = rounds(4'000);
  Bunch producers(2, [&](int index) {
    for (int i = 0; i < each; ++i) {
      const With hold(lock);
      static_cast<void>(not_full.wait_for([&] { return queue.size() < 4; }));
      queue.push_back(2 * i + index);
      not_empty.notify();
    }
  });
  Bunch consumers(2, [&] {
    for (int i = 0; i < each; ++i) {
      const With hold(lock);
      static_cast<void>(not_empty.wait_for([&] { return !queue.empty(); }));
      taken.push_back(queue.front());
      queue.erase(queue.begin());
      not_full.notify();
    }
  });
  producers.join();
  consumers.join();
  std::vector<int> next{0, 0};
  for (const int item : taken) {
    const auto producer = static_cast<std::size_t>(item % 2);
    ASSERT_EQ(item / 2, next[producer]++);
  }
  EXPECT_EQ(taken.size(), static_cast<std::size_t>(2 * each));
}

// Notifying needs no lock to be free or held in a particular way: a Lock that somebody released meanwhile still goes
// on.
TEST(ConditionOwner, ALockReleasedByOthersDuringNotifyLosesNobody) {
  Lock lock;
  Condition cv(lock);
  std::atomic<int> returned{0};
  const int count = rounds(500);
  for (int i = 0; i < count; ++i) {
    Bunch bunch(3, [&](int index) {
      if (index == 2) {
        while (waiters(cv) != 2) std::this_thread::yield();
        for (int tries = 0;; ++tries) {
          lock.acquire();
          Bunch releaser;
          if (tries == 20) {  // where one thread runs at a time, the releaser may win for ever
            cv.notify_all();
            lock.release();
            return;
          }
          releaser.add([&] { lock.release(); });
          try {
            cv.notify_all();  // while another thread releases the lock
          } catch (const RuntimeError&) {
            continue;  // it had done so already
          }
          return;
        }
      }
      lock.acquire();
      EXPECT_TRUE(cv.wait());
      ++returned;
      lock.release();
    });
  }
  EXPECT_EQ(returned, 2 * count);
  EXPECT_FALSE(lock.locked());
}

}  // namespace
