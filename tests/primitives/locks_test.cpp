// SPDX-License-Identifier: MIT
//
// What Lock and RLock have in common. One property a test, for both.
#include <chrono>
#include <cmath>
#include <limits>
#include <mutex>
#include <stop_token>
#include <string>
#include <type_traits>
#include <vector>

#include <threading/lock.hpp>
#include <threading/rlock.hpp>

#include "support/lot.hpp"
#include "support/support.hpp"

namespace {

using namespace std::chrono_literals;
using namespace support;
using namespace threading;
using std::chrono::steady_clock;
using std::chrono::system_clock;

template <class L>
class Locks : public testing::Test {
 protected:
  // Holds the lock on a thread of its own until let_go() or the end of the test.
  void hold_elsewhere() {
    holder_.add([this] {
      lock_.acquire();
      held_ = true;
      while (!enough_) std::this_thread::sleep_for(100us);
      lock_.release();
    });
    ASSERT_TRUE(eventually([&] { return held_.load(); }));
  }
  void let_go() { enough_ = true; }
  ~Locks() override { let_go(); }

  // A call that fails must have changed nothing: the lock can still be taken and given back, once.
  void expect_free() {
    EXPECT_FALSE(lock_.locked());
    EXPECT_TRUE(lock_.acquire(false));
    lock_.release();
    EXPECT_FALSE(lock_.locked());
  }

  L lock_;
  std::atomic<bool> held_{false};
  std::atomic<bool> enough_{false};
  Bunch holder_;
};

struct Names {
  template <class L>
  static std::string GetName(int) {
    return std::is_same_v<L, Lock> ? "Lock" : "RLock";
  }
};
using Both = testing::Types<Lock, RLock>;
TYPED_TEST_SUITE(Locks, Both, Names);

TYPED_TEST(Locks, IsFreeAtFirst) { this->expect_free(); }

TYPED_TEST(Locks, EveryWayOfAcquiringAFreeLockTakesIt) {
  auto& lock = this->lock_;
  std::stop_source source;
  const auto check = [&](bool taken) {
    EXPECT_TRUE(taken);
    EXPECT_TRUE(lock.locked());
    lock.release();
    EXPECT_FALSE(lock.locked());
  };
  check(lock.acquire());
  check(lock.acquire(true));
  check(lock.acquire(false));
  check(lock.acquire(true, forever));
  check(lock.acquire(true, -1.0));
  check(lock.acquire(false, forever));
  check(lock.acquire(false, -1.0));
  check(lock.acquire(true, 0.0));
  check(lock.acquire(no_wait));
  check(lock.acquire(1ms));
  check(lock.acquire(-1ms));
  check(lock.acquire(0.5));
  check(lock.acquire(-1.0));
  check(lock.acquire(TIMEOUT_MAX));
  check(lock.acquire(TIMEOUT_MAX.count()));
  check(lock.acquire(steady_clock::now()));
  check(lock.acquire(forever, source.get_token()));
  check(lock.try_lock());
  check(lock.try_lock_for(0s));
  check(lock.try_lock_for(std::chrono::duration<float>(-1.0F)));
  check(lock.try_lock_for(std::chrono::hours::max()));
  check(lock.try_lock_until(steady_clock::time_point::min()));
  check(lock.try_lock_until(system_clock::now() + 1h));
  check(lock.try_lock_until(system_clock::time_point::max()));
  lock.lock();
  check(true);
}

// The guards release with unlock(), which is release() without its exception.
TYPED_TEST(Locks, UnlockReleases) {
  this->lock_.acquire();
  this->lock_.unlock();
  this->expect_free();
}

TYPED_TEST(Locks, EveryWayOfNotBlockingFailsOnAHeldLock) {
  ASSERT_NO_FATAL_FAILURE(this->hold_elsewhere());
  auto& lock = this->lock_;
  EXPECT_FALSE(lock.acquire(false));
  EXPECT_FALSE(lock.acquire(false, forever));
  EXPECT_FALSE(lock.acquire(true, 0.0));
  EXPECT_FALSE(lock.acquire(no_wait));
  EXPECT_FALSE(lock.acquire(-1s));
  EXPECT_FALSE(lock.acquire(std::chrono::hours::min()));
  EXPECT_FALSE(lock.acquire(steady_clock::now() - 1h));
  EXPECT_FALSE(lock.acquire(steady_clock::time_point::min()));
  EXPECT_FALSE(lock.try_lock());
  EXPECT_FALSE(lock.try_lock_for(-1ms));
  EXPECT_FALSE(lock.try_lock_for(std::chrono::duration<double>(-1.0)));
  EXPECT_FALSE(lock.try_lock_until(steady_clock::now()));
  EXPECT_FALSE(lock.try_lock_until(system_clock::now() - 1h));
  EXPECT_FALSE(lock.try_lock_until(system_clock::time_point::min()));
  EXPECT_TRUE(lock.locked());
  EXPECT_EQ(waiters(lock), 0u);
}

TYPED_TEST(Locks, TimedAcquireFailsAfterTheDeadlineWhenHeldAndNotBefore) {
  ASSERT_NO_FATAL_FAILURE(this->hold_elsewhere());
  const auto check = [&](auto acquire) {
    const auto start = steady_clock::now();
    EXPECT_FALSE(acquire());
    EXPECT_GE(steady_clock::now() - start, kShortDelay);
    EXPECT_EQ(waiters(this->lock_), 0u);
  };
  const double seconds = std::chrono::duration<double>(kShortDelay).count();
  check([&] { return this->lock_.acquire(kShortDelay); });
  check([&] { return this->lock_.acquire(true, kShortDelay); });
  check([&] { return this->lock_.acquire(seconds); });
  check([&] { return this->lock_.acquire(steady_clock::now() + kShortDelay); });
  check([&] { return this->lock_.acquire(kShortDelay, std::stop_token()); });
  check([&] { return this->lock_.try_lock_for(kShortDelay); });
  check([&] { return this->lock_.try_lock_for(std::chrono::duration<double>(seconds)); });
  check([&] { return this->lock_.try_lock_until(steady_clock::now() + kShortDelay); });
}

// A Timeout made from a duration counts from each call that it is given to.
TYPED_TEST(Locks, ARelativeTimeoutStartsWithEachCall) {
  ASSERT_NO_FATAL_FAILURE(this->hold_elsewhere());
  const Timeout timeout = kShortDelay;
  for (int i = 0; i < 2; ++i) {
    const auto start = steady_clock::now();
    EXPECT_FALSE(this->lock_.acquire(timeout));
    EXPECT_GE(steady_clock::now() - start, kShortDelay);
  }
}

TYPED_TEST(Locks, TimedAcquireSucceedsWhenTheLockIsReleasedInTime) {
  ASSERT_NO_FATAL_FAILURE(this->hold_elsewhere());
  Bunch waiter;
  waiter.add([&] {
    EXPECT_TRUE(this->lock_.acquire(kLongDelay));
    this->lock_.release();
  });
  ASSERT_TRUE(eventually([&] { return waiters(this->lock_) == 1; }));
  this->let_go();
}

// Waits too long for any clock are waits all the same.
TYPED_TEST(Locks, HugeTimeoutsWait) {
  for (const Timeout timeout : {Timeout(std::chrono::hours::max()), Timeout(TIMEOUT_MAX), Timeout(TIMEOUT_MAX.count()),
                                Timeout(steady_clock::time_point::max()), Timeout(-1.0)}) {
    TypeParam lock;
    lock.acquire();
    Bunch waiter;
    waiter.add([&] {
      EXPECT_TRUE(lock.acquire(timeout));
      lock.release();
    });
    ASSERT_TRUE(eventually([&] { return waiters(lock) == 1; }));
    lock.release();
  }
}

TYPED_TEST(Locks, AReleaseLetsWaitersPassOneByOne) {
  ASSERT_NO_FATAL_FAILURE(this->hold_elsewhere());
  std::atomic<int> inside{0};
  std::atomic<int> passed{0};
  Bunch bunch(5, [&] {
    this->lock_.acquire();
    EXPECT_EQ(++inside, 1);
    std::this_thread::yield();
    --inside;
    ++passed;
    this->lock_.release();
  });
  ASSERT_TRUE(eventually([&] { return waiters(this->lock_) == 5; }));
  EXPECT_EQ(passed, 0);
  this->let_go();
  bunch.join();
  EXPECT_EQ(passed, 5);
}

// Waiters that have waited long are served in their order (they are handed the lock, so nobody can overtake).
TYPED_TEST(Locks, ServesThoseWhoWaitLongInTheirOrder) {
  std::vector<int> order;
  Bunch bunch;
  this->lock_.acquire();
  for (int i = 0; i < 5; ++i) {
    bunch.add([&, i] {
      this->lock_.acquire();
      order.push_back(i);
      // Longer than kHandOverAfter, so that those behind are handed the lock, too.
      const auto end = steady_clock::now() + 2ms;
      while (steady_clock::now() < end) {
      }
      this->lock_.release();
    });
    ASSERT_TRUE(eventually([&] { return waiters(this->lock_) == static_cast<std::size_t>(i) + 1; }));
  }
  const auto end = steady_clock::now() + std::chrono::nanoseconds(2 * kHandOverAfter);
  while (steady_clock::now() < end) {
  }
  this->lock_.release();
  bunch.join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

// A bad bound throws before the lock is looked at: the same on a free lock and on a held one.
TYPED_TEST(Locks, RejectsBadTimeoutsAndIsUnchanged) {
  auto& lock = this->lock_;
  const auto check = [&] {
    expect_error<ValueError>("timeout value must be a non-negative number", [&] { lock.acquire(-2.0); });
    expect_error<ValueError>("timeout value must be a non-negative number",
                             [&] { lock.acquire(-100.0, std::stop_token()); });
    expect_error<ValueError>("timeout value must be a non-negative number", [&] { lock.acquire(true, -0.5); });
    expect_error<ValueError>("timeout value must be a non-negative number", [&] { lock.acquire(-1e-12); });
    expect_error<ValueError>("can't specify a timeout for a non-blocking call", [&] { lock.acquire(false, 1.0); });
    expect_error<ValueError>("can't specify a timeout for a non-blocking call", [&] { lock.acquire(false, 0.0); });
    expect_error<ValueError>("can't specify a timeout for a non-blocking call", [&] { lock.acquire(false, 1s); });
    expect_error<ValueError>("can't specify a timeout for a non-blocking call", [&] { lock.acquire(false, no_wait); });
    expect_error<ValueError>("can't specify a timeout for a non-blocking call", [&] { lock.acquire(false, -5.0); });
    expect_error<ValueError>("Invalid value NaN (not a number)", [&] { lock.acquire(std::nan("")); });
    expect_error<ValueError>("Invalid value NaN (not a number)",
                             [&] { lock.try_lock_for(std::chrono::duration<double>(std::nan(""))); });
    expect_error<OverflowError>("timestamp out of range for C PyTime_t", [&] { lock.acquire(1e100); });
    expect_error<OverflowError>("timestamp out of range for C PyTime_t",
                                [&] { lock.acquire(std::numeric_limits<double>::infinity()); });
  };
  check();
  this->expect_free();
  ASSERT_NO_FATAL_FAILURE(this->hold_elsewhere());
  check();
  EXPECT_TRUE(lock.locked());
  EXPECT_EQ(waiters(lock), 0u);
}

TYPED_TEST(Locks, StopEndsAWait) {
  ASSERT_NO_FATAL_FAILURE(this->hold_elsewhere());
  std::stop_source source;
  Bunch bunch;
  bunch.add([&] { EXPECT_FALSE(this->lock_.acquire(forever, source.get_token())); });
  ASSERT_TRUE(eventually([&] { return waiters(this->lock_) == 1; }));
  source.request_stop();
  bunch.join();
  EXPECT_EQ(waiters(this->lock_), 0u);
  EXPECT_TRUE(this->lock_.locked());
}

TYPED_TEST(Locks, AStopBeforeFailsOnAHeldLockAndTakesAFreeOne) {
  std::stop_source source;
  source.request_stop();
  EXPECT_TRUE(this->lock_.acquire(forever, source.get_token()));
  this->lock_.release();
  ASSERT_NO_FATAL_FAILURE(this->hold_elsewhere());
  EXPECT_FALSE(this->lock_.acquire(forever, source.get_token()));
  EXPECT_EQ(waiters(this->lock_), 0u);
}

// A waiter that was stopped or timed out takes nobody's place: the others still get the lock.
TYPED_TEST(Locks, ThoseBehindAStoppedOneAreServed) {
  ASSERT_NO_FATAL_FAILURE(this->hold_elsewhere());
  std::stop_source source;
  std::atomic<int> got{0};
  Bunch bunch;
  bunch.add([&] { EXPECT_FALSE(this->lock_.acquire(forever, source.get_token())); });
  ASSERT_TRUE(eventually([&] { return waiters(this->lock_) == 1; }));
  for (int i = 0; i < 2; ++i) {
    bunch.add([&] {
      this->lock_.acquire();
      ++got;
      this->lock_.release();
    });
  }
  ASSERT_TRUE(eventually([&] { return waiters(this->lock_) == 3; }));
  source.request_stop();
  this->let_go();
  bunch.join();
  EXPECT_EQ(got, 2);
}

// Two threads that take two locks in opposite orders through std::lock do not deadlock, also with a std::mutex between.
TYPED_TEST(Locks, WorkWithTheStandardsGuards) {
  std::mutex standard;
  RLock other;
  int counter = 0;
  const int each = rounds(3'000);
  Bunch bunch(3, [&](int index) {
    for (int i = 0; i < each; ++i) {
      if (index == 0) {
        const std::scoped_lock hold(this->lock_, standard, other);
        ++counter;
      } else if (index == 1) {
        const std::scoped_lock hold(other, standard, this->lock_);
        ++counter;
      } else {
        std::unique_lock first(standard, std::defer_lock);
        std::unique_lock second(this->lock_, std::defer_lock);
        std::lock(first, second);
        ++counter;
      }
    }
  });
  bunch.join();
  EXPECT_EQ(counter, 3 * each);
  std::unique_lock timed(this->lock_, std::chrono::milliseconds(1));
  EXPECT_TRUE(timed.owns_lock());
  timed.unlock();
  EXPECT_EQ(std::try_lock(this->lock_, standard), -1);
  this->lock_.unlock();
  standard.unlock();
}

// What a thread wrote before release() is seen after the acquire() that follows, on every path: barging, woken, handed
// over. (A race detector looks at the plain counter.)
TYPED_TEST(Locks, ExcludesAndPublishes) {
  std::int64_t counter = 0;
  const int each = rounds(20'000);
  Bunch bunch(4, [&](int index) {
    for (int i = 0; i < each; ++i) {
      if (index == 0) {
        while (!this->lock_.acquire(10us)) {
        }
      } else if (index == 1) {
        while (!this->lock_.try_lock()) std::this_thread::yield();
      } else {
        this->lock_.acquire();
      }
      ++counter;
      this->lock_.release();
    }
  });
  bunch.join();
  EXPECT_EQ(counter, std::int64_t{each} * 4);
  EXPECT_FALSE(this->lock_.locked());
}

}  // namespace
