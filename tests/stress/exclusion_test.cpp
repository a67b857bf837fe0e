// SPDX-License-Identifier: MIT
//
// Mutual exclusion under every mixture of ways to take a lock.
#include <mutex>
#include <stop_token>

#include <threading/condition.hpp>
#include <threading/lock.hpp>
#include <threading/rlock.hpp>
#include <threading/semaphore.hpp>

#include "stress/stress.hpp"

namespace {

using namespace stress;

template <class L>
class Exclusion : public testing::Test {
 protected:
  static bool take(L& lock, Jitter& jitter, const std::stop_token& stopped) {
    switch (jitter.below(6)) {
      case 0: return lock.acquire(false);
      case 1: return lock.acquire(std::chrono::microseconds(jitter.below(100)));
      case 2: return lock.acquire(forever, stopped);
      case 3: return lock.acquire(std::chrono::steady_clock::now() + 30us);
      default: return lock.acquire();
    }
  }
  L lock_;
};

using Kinds = testing::Types<Lock, RLock, Condition, Semaphore, BoundedSemaphore>;
TYPED_TEST_SUITE(Exclusion, Kinds);

TYPED_TEST(Exclusion, HoldsUnderEveryWayOfAcquiring) {
  const Budget budget;
  std::stop_source source;
  source.request_stop();
  std::int64_t counter = 0;  // guarded by the lock: a race detector looks at it as well
  std::atomic<std::int64_t> taken{0};
  std::atomic<int> inside{0};
  Bunch bunch(6, [&](int index) {
    Jitter jitter(index + 1);
    while (budget.left()) {
      if (!this->take(this->lock_, jitter, source.get_token())) continue;
      ASSERT_EQ(++inside, 1);
      ++counter;
      jitter();
      --inside;
      this->lock_.release();
      ++taken;
      jitter();
    }
  });
  bunch.join();
  EXPECT_EQ(counter, taken);
  EXPECT_EQ(waiters(this->lock_), 0u);
  EXPECT_TRUE(this->lock_.acquire(no_wait)) << "it is not free at the end";
  this->lock_.release();
  record("acquisitions", taken.load());
}

// Several locks, taken in any order through std::lock: no deadlock, and all of them exclude.
TEST(ExclusionOfMany, SurvivesStdLock) {
  const Budget budget;
  Lock a;
  RLock b;
  std::mutex c;
  std::int64_t counter = 0;
  std::atomic<std::int64_t> taken{0};
  Bunch bunch(4, [&](int index) {
    Jitter jitter(index + 7);
    while (budget.left()) {
      switch (jitter.below(3)) {
        case 0: {
          const std::scoped_lock hold(a, b, c);
          ++counter;
          break;
        }
        case 1: {
          const std::scoped_lock hold(c, a, b);
          ++counter;
          break;
        }
        default: {
          const std::scoped_lock hold(b, c, a);
          ++counter;
        }
      }
      ++taken;
      jitter();
    }
  });
  bunch.join();
  EXPECT_EQ(counter, taken);
  record("acquisitions", taken.load());
}

}  // namespace
