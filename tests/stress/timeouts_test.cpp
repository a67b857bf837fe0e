// SPDX-License-Identifier: MIT
//
// Timeouts that pass at the very moment of a wake-up, by the million.
#include <stop_token>

#include <threading/condition.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/rlock.hpp>
#include <threading/semaphore.hpp>

#include "stress/stress.hpp"

namespace {

using namespace stress;

// Timed waits for a lock that is held about as long as they wait: each call tells the truth, nobody is left behind.
template <class L>
class TimeoutStorm : public testing::Test {
 protected:
  L lock_;
};
using Kinds = testing::Types<Lock, RLock>;
TYPED_TEST_SUITE(TimeoutStorm, Kinds);

TYPED_TEST(TimeoutStorm, OnALockLeavesNobodyBehind) {
  const Budget budget;
  std::int64_t counter = 0;
  std::atomic<std::int64_t> taken{0};
  std::atomic<std::int64_t> timeouts{0};
  Bunch bunch(5, [&](int index) {
    Jitter jitter(index + 1);
    while (budget.left()) {
      const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(jitter.below(60'000));
      if (!this->lock_.acquire(until)) {
        ASSERT_GE(std::chrono::steady_clock::now(), until);
        ++timeouts;
        continue;
      }
      ++counter;
      for (std::uint32_t i = jitter.below(600); i > 0; --i) detail::backend::cpu_relax();
      this->lock_.release();
      ++taken;
    }
  });
  bunch.join();
  EXPECT_EQ(counter, taken);
  EXPECT_EQ(waiters(this->lock_), 0u);
  EXPECT_FALSE(this->lock_.locked());
  EXPECT_GT(timeouts, 0);
  record("acquisitions", taken.load());
  record("timeouts", timeouts.load());
}

// Units and timeouts: what is released is taken or still there, to the last unit.
TEST(TimeoutStormOfUnits, ConservesUnits) {
  const Budget budget;
  Semaphore semaphore(0);
  std::atomic<std::int64_t> taken{0};
  std::atomic<std::int64_t> timeouts{0};
  std::int64_t released = 0;
  std::stop_source source;
  Bunch bunch(4, [&](int index) {
    Jitter jitter(index + 1);
    while (budget.left()) {
      const bool got = index == 0
                           ? semaphore.acquire(std::chrono::nanoseconds(jitter.below(40'000)), source.get_token())
                           : semaphore.acquire(std::chrono::nanoseconds(jitter.below(40'000)));
      ++(got ? taken : timeouts);
    }
  });
  Jitter jitter(99);
  while (budget.left()) {
    const auto n = static_cast<std::ptrdiff_t>(1 + jitter.below(3));
    semaphore.release(n);
    released += n;
    jitter();
    jitter();
    while (semaphore.value() > 10) std::this_thread::yield();
  }
  bunch.join();
  EXPECT_EQ(taken + semaphore.value(), released);
  EXPECT_EQ(waiters(semaphore), 0u);
  record("taken", taken.load());
  record("timeouts", timeouts.load());
}

// An event that is set and cleared while waits time out: a wait that returned true was let go by a set().
TEST(TimeoutStormOfEvents, LetsGoOnlyAfterASet) {
  const Budget budget;
  Event event;
  std::atomic<std::int64_t> sets{0};
  std::atomic<std::int64_t> let_go{0};
  std::atomic<std::int64_t> timeouts{0};
  std::atomic<bool> done{false};
  Bunch bunch(4, [&](int index) {
    Jitter jitter(index + 1);
    while (!done) {
      const std::int64_t before = sets;
      if (event.wait(std::chrono::nanoseconds(jitter.below(50'000)))) {
        // The flag may have been set when this wait began; then that set() was counted before or is the latest.
        ASSERT_GE(sets, before == 0 ? 1 : before);
        ++let_go;
      } else {
        ++timeouts;
      }
    }
  });
  Jitter jitter(5);
  while (budget.left()) {
    ++sets;
    event.set();
    event.clear();
    for (std::uint32_t i = jitter.below(2'000); i > 0; --i) detail::backend::cpu_relax();
  }
  done = true;
  bunch.join();
  EXPECT_EQ(waiters(event), 0u);
  EXPECT_FALSE(event.is_set());
  record("let_go", let_go.load());
  record("timeouts", timeouts.load());
}

}  // namespace
