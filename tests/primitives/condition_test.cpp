// SPDX-License-Identifier: MIT
//
// Waiting and notifying, over every kind of lock.
#include <threading/condition.hpp>

#include <cmath>
#include <memory>
#include <stop_token>

#include "primitives/condition_fixture.hpp"

namespace {

using namespace std::chrono_literals;
using namespace condition_test;
using std::chrono::steady_clock;

TYPED_TEST_SUITE(Conditions, AllKinds, KindNames);

TYPED_TEST(Conditions, WaitReturnsTrueWhenNotified) {
  this->wait_threads(1);
  this->notify(1);
  this->threads_.join();
  EXPECT_EQ(this->notified_, 1);
}

TYPED_TEST(Conditions, WaitReturnsFalseAfterTheTimeoutAndNotBefore) {
  const double seconds = std::chrono::duration<double>(kShortDelay).count();
  const std::scoped_lock hold(this->cv_);
  for (const Timeout timeout : {Timeout(kShortDelay), Timeout(seconds)}) {
    const auto start = steady_clock::now();
    EXPECT_FALSE(this->cv_.wait(timeout));
    EXPECT_GE(steady_clock::now() - start, kShortDelay);
  }
  const auto until = steady_clock::now() + kShortDelay;
  EXPECT_FALSE(this->cv_.wait(until));
  EXPECT_GE(steady_clock::now(), until);
}

// Zero, negative and past bounds poll: they return at once, and a negative number is no error here.
TYPED_TEST(Conditions, WaitWithAPassedTimeoutReturnsFalse) {
  const std::scoped_lock hold(this->cv_);
  for (const Timeout timeout : {no_wait, Timeout(0.0), Timeout(-1.0), Timeout(-100.0), Timeout(-1h),
                                Timeout(steady_clock::time_point::min()), Timeout(steady_clock::now() - 1s)}) {
    EXPECT_FALSE(this->cv_.wait(timeout));
  }
}

// The lock is held again after every way out of wait().
TYPED_TEST(Conditions, WaitHoldsTheLockAfterwards) {
  std::stop_source stopped;
  stopped.request_stop();
  this->cv_.acquire();
  static_cast<void>(this->cv_.wait(no_wait));
  static_cast<void>(this->cv_.wait(1ms));
  static_cast<void>(this->cv_.wait(forever, stopped.get_token()));
  Bunch other;
  other.add([&] { EXPECT_FALSE(this->cv_.try_lock()); });
  other.join();
  this->cv_.release();
  EXPECT_TRUE(this->cv_.try_lock());
  this->cv_.unlock();
}

TYPED_TEST(Conditions, NotifyWithoutWaitersDoesNothing) {
  this->notify(1);
  this->notify_all();
  this->notify(SIZE_MAX);
  // Nor is it remembered: a wait that starts later is not notified.
  const std::scoped_lock hold(this->cv_);
  EXPECT_FALSE(this->cv_.wait(kShortDelay));
}

TYPED_TEST(Conditions, NotifyZeroWakesNobody) {
  this->wait_threads(2);
  this->notify(0);
  this->expect_still_returned(0);
  this->notify_all();
}

// Exactly min(n, waiters), neither more nor fewer.
TYPED_TEST(Conditions, NotifyWakesExactlyAsManyAsAsked) {
  this->wait_threads(6);
  this->notify(1);
  this->expect_still_returned(1);
  this->notify(3);
  this->expect_still_returned(4);
  this->notify(5);
  this->expect_still_returned(6);
  EXPECT_EQ(this->notified_, 6);
}

TYPED_TEST(Conditions, NotifyAllWakesAll) {
  this->wait_threads(8);
  this->notify_all();
  this->threads_.join();
  EXPECT_EQ(this->notified_, 8);
}

// First come, first served: the one that waits longest is notified first.
TYPED_TEST(Conditions, NotifiesInTheOrderOfArrival) {
  this->wait_threads(5);
  for (int i = 1; i <= 5; ++i) {
    this->notify(1);
    ASSERT_TRUE(eventually([&] { return this->returned() == i; }));
  }
  EXPECT_EQ(this->order_, (std::vector<int>{0, 1, 2, 3, 4}));
}

// The notifier still holds the lock: nobody returns before it lets go.
TYPED_TEST(Conditions, NotifiedThreadsWaitForTheLock) {
  this->wait_threads(3);
  this->cv_.acquire();
  this->cv_.notify_all();
  EXPECT_FALSE(eventually([&] { return !this->order_.empty(); }, kShortDelay));
  this->cv_.release();
  this->threads_.join();
  EXPECT_EQ(this->notified_, 3);
}

// Notified in time but kept waiting for the lock until after its deadline: it was notified.
TYPED_TEST(Conditions, ANotificationOutlastsTheDeadline) {
  this->wait_threads(2, kSmallDelay);
  const auto deadline_is_over = steady_clock::now() + 2 * kSmallDelay;
  this->cv_.acquire();
  if (this->waiting_ == 2) {  // otherwise this machine was too slow to notify in time
    this->cv_.notify_all();
    while (steady_clock::now() < deadline_is_over) std::this_thread::sleep_for(1ms);
    this->cv_.release();
    this->threads_.join();
    EXPECT_EQ(this->notified_ + this->ended_, 2);
    EXPECT_EQ(this->notified_, 2);
  } else {
    this->cv_.release();
  }
}

// One that timed out takes no notification with it.
TYPED_TEST(Conditions, ANotificationIsNotSpentOnOneThatTimedOut) {
  this->wait_thread(0, kShortDelay);
  ASSERT_TRUE(eventually([&] { return this->returned() == 1; }));
  this->wait_thread(1);
  this->notify(1);
  this->threads_.join();
  EXPECT_EQ(this->ended_, 1);
  EXPECT_EQ(this->notified_, 1);
}

TYPED_TEST(Conditions, StopEndsAWait) {
  std::stop_source source;
  this->wait_threads(2, forever, source.get_token());
  source.request_stop();
  this->threads_.join();
  EXPECT_EQ(this->ended_, 2);
}

TYPED_TEST(Conditions, AStopBeforeEndsAWaitAtOnce) {
  std::stop_source source;
  source.request_stop();
  const std::scoped_lock hold(this->cv_);
  EXPECT_FALSE(this->cv_.wait(forever, source.get_token()));
  EXPECT_FALSE(this->cv_.wait(1h, source.get_token()));
  EXPECT_FALSE(this->cv_.wait(no_wait, source.get_token()));
}

// A stop request that comes after the notification does not take it away.
TYPED_TEST(Conditions, ANotificationOutlastsAStop) {
  std::stop_source source;
  this->wait_threads(2, forever, source.get_token());
  this->cv_.acquire();
  this->cv_.notify_all();
  source.request_stop();
  this->cv_.release();
  this->threads_.join();
  EXPECT_EQ(this->notified_, 2);
}

// The stop request of one waiter leaves the others and their order alone.
TYPED_TEST(Conditions, StopTakesOutOnlyItsOwnWaiter) {
  std::stop_source source;
  this->wait_thread(0);
  this->wait_thread(1, forever, source.get_token());
  this->wait_thread(2);
  source.request_stop();
  ASSERT_TRUE(eventually([&] { return this->returned() == 1; }));
  this->notify(1);
  ASSERT_TRUE(eventually([&] { return this->returned() == 2; }));
  this->notify(1);
  this->threads_.join();
  EXPECT_EQ(this->order_, (std::vector<int>{1, 0, 2}));
}

TYPED_TEST(Conditions, RejectsBadNumbersWithTheLockHeldAndKeepsIt) {
  const std::scoped_lock hold(this->cv_);
  expect_error<ValueError>("Invalid value NaN (not a number)", [&] { this->cv_.wait(std::nan("")); });
  expect_error<OverflowError>("timestamp out of range for C PyTime_t", [&] { this->cv_.wait(1e100); });
  Bunch other;
  other.add([&] { EXPECT_FALSE(this->cv_.try_lock()); });
}

// A wait too long for any clock ends by a notification like any other.
TYPED_TEST(Conditions, HugeTimeoutsWait) {
  this->wait_thread(0, std::chrono::hours::max());
  this->wait_thread(1, TIMEOUT_MAX.count());
  this->wait_thread(2, steady_clock::time_point::max());
  this->notify_all();
  this->threads_.join();
  EXPECT_EQ(this->notified_, 3);
}

// Ping-pong: two threads hand a turn to each other; a lost notification would hang them.
TYPED_TEST(Conditions, LosesNoNotificationInPingPong) {
  const int count = rounds(5'000);
  int turn = 0;
  Bunch bunch(2, [&](int me) {
    for (int i = 0; i < count; ++i) {
      this->cv_.acquire();
      while (turn % 2 != me) static_cast<void>(this->cv_.wait());
      ++turn;
      this->cv_.notify();
      this->cv_.release();
    }
  });
  bunch.join();
  EXPECT_EQ(turn, 2 * count);
}

// A consumer may destroy the condition as soon as it has returned from wait().
TYPED_TEST(Conditions, MayBeDestroyedByTheThreadThatWasNotified) {
  for (int i = 0; i < rounds(1'000); ++i) {
    auto kind = std::make_unique<TypeParam>();
    TypeParam* raw = kind.get();
    bool waiting = false;
    bool told = false;
    Bunch bunch;
    bunch.add([&] {
      raw->cv.acquire();
      waiting = true;
      while (!told) static_cast<void>(raw->cv.wait());
      raw->cv.release();
      kind.reset();
    });
    for (bool done = false; !done;) {
      raw->cv.acquire();
      if (waiting) {
        done = told = true;
        raw->cv.notify();
      }
      raw->cv.release();
      std::this_thread::yield();
    }
  }
}

}  // namespace
