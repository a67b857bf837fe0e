// SPDX-License-Identifier: MIT
//
// What Semaphore and BoundedSemaphore have in common, and where they differ.
#include <threading/semaphore.hpp>

#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "support/lot.hpp"
#include "support/support.hpp"

namespace {

using namespace std::chrono_literals;
using namespace support;
using namespace threading;
using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr std::ptrdiff_t kMax = std::numeric_limits<std::ptrdiff_t>::max();

template <class S>
class Semaphores : public testing::Test {
 protected:
  // Threads that take one unit each.
  template <class... Args>
  void acquire_threads(S& semaphore, int count, Args... args) {
    const std::size_t before = waiters(semaphore);
    for (int i = 0; i < count; ++i) {
      threads_.add([this, &semaphore, args...] { (semaphore.acquire(args...) ? got_ : gave_up_) += 1; });
    }
    ASSERT_TRUE(eventually([&] { return waiters(semaphore) == before + static_cast<std::size_t>(count); }));
  }
  // A semaphore that was made with `value` and from which all has been taken.
  static std::unique_ptr<S> drained(std::ptrdiff_t value) {
    auto semaphore = std::make_unique<S>(value);
    for (std::ptrdiff_t i = 0; i < value; ++i) EXPECT_TRUE(semaphore->try_acquire());
    return semaphore;
  }

  std::atomic<int> got_{0};
  std::atomic<int> gave_up_{0};
  Bunch threads_;
};

struct Names {
  template <class S>
  static std::string GetName(int) {
    return std::is_same_v<S, Semaphore> ? "Semaphore" : "BoundedSemaphore";
  }
};
using Both = testing::Types<Semaphore, BoundedSemaphore>;
TYPED_TEST_SUITE(Semaphores, Both, Names);

TYPED_TEST(Semaphores, StartsAtOneUnlessTold) {
  EXPECT_EQ(TypeParam().value(), 1);
  EXPECT_EQ(TypeParam(0).value(), 0);
  EXPECT_EQ(TypeParam(7).value(), 7);
  EXPECT_EQ(TypeParam(kMax).value(), kMax);
}

TYPED_TEST(Semaphores, RefusesANegativeInitialValue) {
  expect_error<ValueError>("semaphore initial value must be >= 0", [] { TypeParam(-1); });
  expect_error<ValueError>("semaphore initial value must be >= 0",
                           [] { TypeParam semaphore(std::numeric_limits<std::ptrdiff_t>::min()); });
}

TYPED_TEST(Semaphores, EveryWayOfAcquiringTakesOneUnit) {
  std::stop_source stopped;
  stopped.request_stop();
  TypeParam semaphore(100);
  std::ptrdiff_t expected = 100;
  const auto check = [&](bool taken) {
    EXPECT_TRUE(taken);
    EXPECT_EQ(semaphore.value(), --expected);
  };
  check(semaphore.acquire());
  check(semaphore.acquire(true));
  check(semaphore.acquire(false));
  check(semaphore.acquire(true, 1.0));
  check(semaphore.acquire(false, forever));
  check(semaphore.acquire(no_wait));
  check(semaphore.acquire(-1.0));
  check(semaphore.acquire(-1s));
  check(semaphore.acquire(0.25));
  check(semaphore.acquire(steady_clock::now() - 1s));
  check(semaphore.acquire(forever, stopped.get_token()));
  check(semaphore.try_acquire());
  check(semaphore.try_acquire_for(0s));
  check(semaphore.try_acquire_until(steady_clock::now()));
  check(semaphore.try_acquire_until(system_clock::time_point::min()));
}

TYPED_TEST(Semaphores, EveryWayOfNotBlockingFailsAtZero) {
  TypeParam semaphore(0);
  for (const bool taken :
       {semaphore.acquire(false), semaphore.acquire(false, forever), semaphore.acquire(no_wait), semaphore.acquire(0.0),
        semaphore.acquire(-1.0), semaphore.acquire(-3.5), semaphore.acquire(true, -1s), semaphore.try_acquire(),
        semaphore.try_acquire_for(-1ms), semaphore.try_acquire_until(steady_clock::time_point::min()),
        semaphore.try_acquire_until(system_clock::now() - 1h)}) {
    EXPECT_FALSE(taken);
  }
  EXPECT_EQ(semaphore.value(), 0);
  EXPECT_EQ(waiters(semaphore), 0u);
}

TYPED_TEST(Semaphores, TimedAcquireFailsAfterTheDeadlineAndNotBefore) {
  TypeParam semaphore(0);
  const double seconds = std::chrono::duration<double>(kShortDelay).count();
  const auto check = [&](auto acquire) {
    const auto start = steady_clock::now();
    EXPECT_FALSE(acquire());
    EXPECT_GE(steady_clock::now() - start, kShortDelay);
  };
  check([&] { return semaphore.acquire(kShortDelay); });
  check([&] { return semaphore.acquire(true, seconds); });
  check([&] { return semaphore.acquire(steady_clock::now() + kShortDelay); });
  check([&] { return semaphore.acquire(kShortDelay, std::stop_token()); });
  check([&] { return semaphore.try_acquire_for(kShortDelay); });
  check([&] { return semaphore.try_acquire_until(steady_clock::now() + kShortDelay); });
  EXPECT_EQ(semaphore.value(), 0);
  EXPECT_EQ(waiters(semaphore), 0u);
}

// Bad bounds throw before the counter is looked at: with and without units.
TYPED_TEST(Semaphores, RejectsBadTimeoutsAndIsUnchanged) {
  for (const std::ptrdiff_t value : {0, 3}) {
    TypeParam semaphore(value);
    const std::string text = "can't specify timeout for non-blocking acquire";
    expect_error<ValueError>(text, [&] { semaphore.acquire(false, 1.0); });
    expect_error<ValueError>(text, [&] { semaphore.acquire(false, -1.0); });
    expect_error<ValueError>(text, [&] { semaphore.acquire(false, no_wait); });
    expect_error<ValueError>(text, [&] { semaphore.acquire(false, 5ms); });
    expect_error<ValueError>("Invalid value NaN (not a number)", [&] { semaphore.acquire(std::nan("")); });
    expect_error<OverflowError>("timestamp out of range for C PyTime_t", [&] { semaphore.acquire(1e100); });
    EXPECT_EQ(semaphore.value(), value);
  }
}

TYPED_TEST(Semaphores, RefusesToReleaseNothing) {
  auto semaphore = this->drained(2);
  for (const std::ptrdiff_t n : {std::ptrdiff_t{0}, std::ptrdiff_t{-1}, std::numeric_limits<std::ptrdiff_t>::min()}) {
    expect_error<ValueError>("n must be one or more", [&] { semaphore->release(n); });
    EXPECT_EQ(semaphore->value(), 0);
  }
}

TYPED_TEST(Semaphores, ReleaseAddsUnits) {
  auto semaphore = this->drained(5);
  semaphore->release();
  EXPECT_EQ(semaphore->value(), 1);
  semaphore->release(4);
  EXPECT_EQ(semaphore->value(), 5);
}

// As many waiters pass as units were added: no more and no fewer.
TYPED_TEST(Semaphores, ReleaseLetsAsManyPassAsItAdds) {
  auto semaphore = this->drained(8);
  this->acquire_threads(*semaphore, 6);
  semaphore->release();
  EXPECT_TRUE(eventually([&] { return this->got_ == 1; }));
  semaphore->release(3);
  EXPECT_TRUE(eventually([&] { return this->got_ == 4; }));
  EXPECT_FALSE(eventually([&] { return this->got_ > 4; }, kShortDelay));
  EXPECT_EQ(waiters(*semaphore), 2u);
  EXPECT_EQ(semaphore->value(), 0);
  semaphore->release(4);
  this->threads_.join();
  EXPECT_EQ(this->got_, 6);
  EXPECT_EQ(semaphore->value(), 2);
}

TYPED_TEST(Semaphores, HugeTimeoutsWait) {
  auto semaphore = this->drained(3);
  this->acquire_threads(*semaphore, 1, std::chrono::hours::max());
  this->acquire_threads(*semaphore, 1, TIMEOUT_MAX.count());
  this->acquire_threads(*semaphore, 1, steady_clock::time_point::max());
  semaphore->release(3);
  this->threads_.join();
  EXPECT_EQ(this->got_, 3);
}

TYPED_TEST(Semaphores, StopEndsAWaitAndTakesNothing) {
  std::stop_source source;
  auto semaphore = this->drained(2);
  this->acquire_threads(*semaphore, 2, forever, source.get_token());
  this->acquire_threads(*semaphore, 1);
  source.request_stop();
  ASSERT_TRUE(eventually([&] { return this->gave_up_ == 2; }));
  EXPECT_EQ(waiters(*semaphore), 1u);
  semaphore->release(2);
  this->threads_.join();
  EXPECT_EQ(this->got_, 1);
  EXPECT_EQ(semaphore->value(), 1);
}

TYPED_TEST(Semaphores, AStopBeforeFailsAtZero) {
  std::stop_source source;
  source.request_stop();
  TypeParam semaphore(0);
  EXPECT_FALSE(semaphore.acquire(forever, source.get_token()));
  EXPECT_FALSE(semaphore.acquire(1h, source.get_token()));
  EXPECT_EQ(waiters(semaphore), 0u);
}

// A waiter that gave up takes no unit and leaves no trace: the next release is complete.
TYPED_TEST(Semaphores, ATimeoutTakesNothing) {
  auto semaphore = this->drained(1);
  this->acquire_threads(*semaphore, 1, kShortDelay);
  this->threads_.join();
  EXPECT_EQ(this->gave_up_, 1);
  semaphore->release();
  EXPECT_EQ(semaphore->value(), 1);
}

std::int64_t handed_over(const void* key) {
  std::int64_t at = 0;
  unpark(key, [&](const QueueView& queue) noexcept -> UnparkDecision {
    at = queue.handed_over;
    return {0};
  });
  return at;
}

// Who arrives may take a unit over those who wait; after a moment those who wait are given theirs directly.
TYPED_TEST(Semaphores, GivesAUnitToThoseWhoWaitLong) {
  auto semaphore = this->drained(1);
  this->acquire_threads(*semaphore, 1);
  const auto overdue = steady_clock::now() + std::chrono::nanoseconds(2 * kHandOverAfter);
  while (steady_clock::now() < overdue) {
  }
  const std::int64_t before = detail::backend::monotonic_now();
  semaphore->release();
  EXPECT_GE(handed_over(&*semaphore), before) << "and the next not so soon";
  EXPECT_EQ(semaphore->value(), 0) << "the unit was up for grabs";
  EXPECT_FALSE(semaphore->try_acquire());
  this->threads_.join();
  EXPECT_EQ(this->got_, 1);
}

// Those who wait long are served in their order.
TYPED_TEST(Semaphores, ServesThoseWhoWaitLongInTheirOrder) {
  constexpr int kThreads = 5;
  auto semaphore = this->drained(kThreads);
  std::vector<int> order;
  std::mutex mutex;
  for (int i = 0; i < kThreads; ++i) {
    this->threads_.add([&, i] {
      semaphore->acquire();
      const std::scoped_lock hold(mutex);
      order.push_back(i);
      ++this->got_;
    });
    ASSERT_TRUE(eventually([&] { return waiters(*semaphore) == static_cast<std::size_t>(i) + 1; }));
  }
  for (int i = 1; i <= kThreads; ++i) {
    semaphore->release();
    ASSERT_TRUE(eventually([&] { return this->got_ == i; }));
  }
  this->threads_.join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

// Units over what the waiters take go to the counter, also when waiters are given theirs directly.
TYPED_TEST(Semaphores, CountsWhatNobodyWaitsFor) {
  auto semaphore = this->drained(9);
  this->acquire_threads(*semaphore, 2);
  const auto overdue = steady_clock::now() + std::chrono::nanoseconds(2 * kHandOverAfter);
  while (steady_clock::now() < overdue) {
  }
  semaphore->release(9);
  EXPECT_EQ(semaphore->value(), 7);
  this->threads_.join();
}

// Units are conserved: never more threads inside than units, and all units are there at the end.
TYPED_TEST(Semaphores, NeverLetsInMoreThanItsValue) {
  TypeParam semaphore(3);
  std::atomic<int> inside{0};
  Bunch bunch(6, [&](int index) {
    for (int i = 0; i < rounds(4'000); ++i) {
      if (index % 3 == 0) {
        if (!semaphore.acquire(20us)) continue;
      } else if (index % 3 == 1) {
        if (!semaphore.try_acquire()) continue;
      } else {
        semaphore.acquire();
      }
      EXPECT_LE(++inside, 3);
      --inside;
      semaphore.release();
    }
  });
  bunch.join();
  EXPECT_EQ(semaphore.value(), 3);
  EXPECT_EQ(waiters(semaphore), 0u);
}

TYPED_TEST(Semaphores, PublishesWhatPrecedesRelease) {
  for (int i = 0; i < rounds(500); ++i) {
    auto semaphore = this->drained(1);
    int written = 0;
    Bunch other;
    other.add([&] {
      written = 1;
      semaphore->release();
    });
    semaphore->acquire();
    EXPECT_EQ(written, 1);
  }
}

// A thread that was let in may destroy the semaphore at once.
TYPED_TEST(Semaphores, MayBeDestroyedByTheThreadThatWasLetIn) {
  for (int i = 0; i < rounds(2'000); ++i) {
    std::unique_ptr<TypeParam> semaphore = this->drained(1);
    TypeParam* raw = semaphore.get();
    Bunch other;
    other.add([&] {
      raw->acquire();
      semaphore.reset();
    });
    if (i % 2 == 0) {
      while (waiters(*raw) == 0) std::this_thread::yield();
    }
    raw->release();
  }
}

TEST(Semaphore, GrowsPastItsInitialValue) {
  Semaphore semaphore(0);
  semaphore.release(1'000'000);
  EXPECT_EQ(semaphore.value(), 1'000'000);
}

// One unit too many for the counter is refused, whatever the path to it, and nothing has changed.
TEST(Semaphore, RefusesToOverflow) {
  Semaphore semaphore(kMax - 1);
  expect_error<OverflowError>("semaphore value too large", [&] { semaphore.release(2); });
  expect_error<OverflowError>("semaphore value too large", [&] { semaphore.release(kMax); });
  EXPECT_EQ(semaphore.value(), kMax - 1);
  semaphore.release();
  expect_error<OverflowError>("semaphore value too large", [&] { semaphore.release(); });
  EXPECT_EQ(semaphore.value(), kMax);
  EXPECT_TRUE(semaphore.try_acquire());
  EXPECT_EQ(semaphore.value(), kMax - 1);
}

// How many of three releases at once are refused.
template <class Error, class S>
int refusals(S& semaphore) {
  std::atomic<int> refused{0};
  Bunch bunch(3, [&] {
    try {
      semaphore.release();
    } catch (const Error&) {
      ++refused;
    }
  });
  bunch.join();
  return refused;
}

// Of many releases at once as many fit as there is room for; the others leave nothing behind.
TEST(Semaphore, LetsConcurrentReleasesNotOverflow) {
  for (int i = 0; i < rounds(300); ++i) {
    Semaphore semaphore(kMax - 1);
    ASSERT_EQ(refusals<OverflowError>(semaphore), 2);
    ASSERT_EQ(semaphore.value(), kMax);
  }
}

// While somebody waits the word holds more than the counter; it has room for all of it nevertheless.
using OfSemaphore = Semaphores<Semaphore>;
TEST_F(OfSemaphore, IsReleasedBeyondAllMeasureWhileThreadsWait) {
  Semaphore semaphore(0);
  this->acquire_threads(semaphore, 2);
  semaphore.release(kMax);
  threads_.join();
  EXPECT_EQ(semaphore.value(), kMax - 2);
  expect_error<OverflowError>("semaphore value too large", [&] { semaphore.release(3); });
  semaphore.release(2);
  EXPECT_EQ(semaphore.value(), kMax);
}

TEST(BoundedSemaphore, RefusesToPassItsInitialValue) {
  BoundedSemaphore semaphore(2);
  EXPECT_EQ(semaphore.initial_value(), 2);
  expect_error<ValueError>("Semaphore released too many times", [&] { semaphore.release(); });
  EXPECT_EQ(semaphore.value(), 2);
  semaphore.acquire();
  expect_error<ValueError>("Semaphore released too many times", [&] { semaphore.release(2); });
  expect_error<ValueError>("Semaphore released too many times", [&] { semaphore.release(kMax); });
  EXPECT_EQ(semaphore.value(), 1) << "a part was released";
  semaphore.release();
  EXPECT_EQ(semaphore.value(), 2);
}

TEST(BoundedSemaphore, OfZeroCanNeverBeReleased) {
  BoundedSemaphore semaphore(0);
  expect_error<ValueError>("Semaphore released too many times", [&] { semaphore.release(); });
  EXPECT_FALSE(semaphore.acquire(no_wait));
}

// A release that is refused wakes nobody who waits.
TEST(BoundedSemaphore, ARefusedReleaseWakesNobody) {
  BoundedSemaphore semaphore(1);
  semaphore.acquire();
  std::atomic<bool> got{false};
  Bunch waiter;
  waiter.add([&] {
    semaphore.acquire();
    got = true;
  });
  ASSERT_TRUE(eventually([&] { return waiters(semaphore) == 1; }));
  expect_error<ValueError>("Semaphore released too many times", [&] { semaphore.release(2); });
  EXPECT_EQ(waiters(semaphore), 1u);
  EXPECT_FALSE(got);
  semaphore.release();
  waiter.join();
  EXPECT_EQ(semaphore.value(), 0);
}

// The bound is checked and the unit added in one step: of many releases at once exactly one fits.
TEST(BoundedSemaphore, LetsConcurrentReleasesNotOvershoot) {
  for (int i = 0; i < rounds(300); ++i) {
    BoundedSemaphore semaphore(3);
    semaphore.acquire();
    ASSERT_EQ(refusals<ValueError>(semaphore), 2);
    ASSERT_EQ(semaphore.value(), 3);
  }
}

}  // namespace
