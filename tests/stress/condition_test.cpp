// SPDX-License-Identifier: MIT
//
// Notifications are conserved: exactly as many waits return true as there were notifications that found a waiter.
#include <algorithm>
#include <mutex>
#include <stop_token>

#include <threading/condition.hpp>
#include <threading/with.hpp>

#include "primitives/condition_fixture.hpp"
#include "stress/stress.hpp"

namespace {

using namespace stress;
using condition_test::AllKinds;
using condition_test::KindNames;

template <class Kind>
class ConditionStress : public testing::Test {
 protected:
  Kind kind_;
  decltype(Kind::cv)& cv_ = kind_.cv;
};
TYPED_TEST_SUITE(ConditionStress, AllKinds, KindNames);

// Without timeouts the notifier, who holds the lock, knows exactly how many wait, and so how many must return.
TYPED_TEST(ConditionStress, WakesExactlyAsManyAsNotified) {
  const Budget budget;
  std::int64_t waiting = 0;  // guarded by the lock, as are the next three
  std::int64_t notified = 0;
  std::int64_t returned = 0;
  bool done = false;
  Bunch waiters(5, [&] {
    for (;;) {
      const std::scoped_lock hold(this->cv_);
      if (done) return;
      ++waiting;
      ASSERT_TRUE(this->cv_.wait());
      ++returned;
      ASSERT_LE(returned, notified) << "woken by nobody";
    }
  });
  Jitter jitter(3);
  while (budget.left()) {
    const std::scoped_lock hold(this->cv_);
    const std::int64_t n = jitter.below(4);
    const std::int64_t woken = std::min(n, waiting);
    this->cv_.notify(static_cast<std::size_t>(n));
    waiting -= woken;
    notified += woken;
    jitter();
  }
  // Those that were notified return, and nobody else.
  EXPECT_TRUE(eventually([&] {
    const std::scoped_lock hold(this->cv_);
    return returned == notified;
  }));
  {
    const std::scoped_lock hold(this->cv_);
    done = true;
    notified += waiting;
    waiting = 0;
    this->cv_.notify_all();
  }
  waiters.join();
  EXPECT_EQ(returned, notified);
  record("notified", notified);
}

// With timeouts and stops as third parties: tokens are put down with one notification each, and whoever is notified
// finds one. Threads that wait without a bound hang if a notification is lost.
TYPED_TEST(ConditionStress, LosesNoNotificationToTimeoutsAndStops) {
  const Budget budget;
  std::int64_t tokens = 0;  // guarded by the lock, as are the next two
  std::int64_t taken = 0;
  bool done = false;
  std::atomic<std::int64_t> gave_up{0};
  std::stop_source source;
  Bunch consumers(5, [&](int index) {
    Jitter jitter(index + 1);
    for (;;) {
      const std::scoped_lock hold(this->cv_);
      const auto there = [&] { return tokens > 0 || done; };
      bool got = false;
      if (index < 2) {
        got = this->cv_.wait_for(there);
      } else if (index < 4) {
        got = this->cv_.wait_for(there, std::chrono::nanoseconds(jitter.below(30'000)));
      } else {
        got = this->cv_.wait_for(there, 20us, source.get_token());
      }
      if (!got) {
        ++gave_up;
      } else if (tokens > 0) {
        --tokens;
        ++taken;
      } else {
        return;
      }
    }
  });
  std::int64_t put = 0;
  Jitter jitter(77);
  while (budget.left()) {
    {
      const std::scoped_lock hold(this->cv_);
      const std::int64_t n = 1 + jitter.below(2);
      tokens += n;
      put += n;
      this->cv_.notify(static_cast<std::size_t>(n));
    }
    jitter();
    // The timed consumers give up and come back; what they leave must be taken by somebody.
    if (jitter.below(16) == 0) {
      ASSERT_TRUE(eventually([&] {
        const std::scoped_lock hold(this->cv_);
        return tokens == 0;
      })) << "a notification was lost";
    }
  }
  {
    const std::scoped_lock hold(this->cv_);
    done = true;
    this->cv_.notify_all();
  }
  consumers.join();
  EXPECT_EQ(taken + tokens, put);
  record("taken", taken);
  record("gave_up", gave_up.load());
}

// Waiters and notifiers in more generations than any queue has: the shape of glibc's lost signal, bug 25847.
TYPED_TEST(ConditionStress, SurvivesManyGenerationsOfSignals) {
  const Budget budget;
  int turn = 0;  // guarded by the lock: whose turn it is, of four
  bool done = false;
  std::int64_t turns = 0;
  Bunch bunch(4, [&](int me) {
    for (;;) {
      const std::scoped_lock hold(this->cv_);
      while (turn != me && !done) static_cast<void>(this->cv_.wait());
      if (done || !budget.left()) {
        done = true;
        this->cv_.notify_all();
        return;
      }
      turn = (turn + 1) % 4;
      ++turns;
      this->cv_.notify_all();
    }
  });
  bunch.join();
  record("turns", turns);
}

}  // namespace
