// SPDX-License-Identifier: MIT
//
// wait_for(): when the predicate is called, and what comes back.
#include <threading/condition.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <type_traits>

#include "primitives/condition_fixture.hpp"

namespace {

using namespace std::chrono_literals;
using namespace condition_test;
using std::chrono::steady_clock;

template <class Kind>
class WaitFor : public Conditions<Kind> {};
TYPED_TEST_SUITE(WaitFor, AllKinds, KindNames);

TYPED_TEST(WaitFor, ReturnsAtOnceWhenThePredicateIsTrue) {
  const std::scoped_lock hold(this->cv_);
  int calls = 0;
  EXPECT_TRUE(this->cv_.wait_for([&] { return ++calls; }));
  EXPECT_EQ(calls, 1);
}

// The predicate comes before the timeout: a true one wins against a timeout that has passed, and against a stop.
TYPED_TEST(WaitFor, LooksAtThePredicateFirst) {
  std::stop_source stopped;
  stopped.request_stop();
  const std::scoped_lock hold(this->cv_);
  EXPECT_TRUE(this->cv_.wait_for([] { return true; }, no_wait));
  EXPECT_TRUE(this->cv_.wait_for([] { return true; }, -1.0));
  EXPECT_TRUE(this->cv_.wait_for([] { return true; }, forever, stopped.get_token()));
}

// With a timeout that has passed: look, let go of the lock once, look again, as CPython does.
TYPED_TEST(WaitFor, LooksTwiceWhenTheTimeoutHasPassed) {
  const std::scoped_lock hold(this->cv_);
  for (const Timeout timeout : {no_wait, Timeout(0.0), Timeout(-5.0), Timeout(-1h)}) {
    int calls = 0;
    EXPECT_FALSE(this->cv_.wait_for([&] { return ++calls == 3; }, timeout));
    EXPECT_EQ(calls, 2);
    calls = 0;
    EXPECT_TRUE(this->cv_.wait_for([&] { return ++calls == 2; }, timeout)) << "the second look counts";
  }
}

TYPED_TEST(WaitFor, FailsAfterTheTimeoutAndNotBefore) {
  const std::scoped_lock hold(this->cv_);
  const auto start = steady_clock::now();
  int calls = 0;
  EXPECT_FALSE(this->cv_.wait_for(
      [&] {
        ++calls;
        return false;
      },
      kShortDelay));
  EXPECT_GE(steady_clock::now() - start, kShortDelay);
  EXPECT_EQ(calls, 2);
}

// Once more after the timeout: what became true meanwhile is not missed.
TYPED_TEST(WaitFor, LooksOnceMoreAfterTheTimeout) {
  const std::scoped_lock hold(this->cv_);
  const auto start = steady_clock::now();
  EXPECT_TRUE(this->cv_.wait_for([&] { return steady_clock::now() - start >= kShortDelay; }, kShortDelay));
}

TYPED_TEST(WaitFor, LooksOnceMoreAfterAStop) {
  std::stop_source stopped;
  stopped.request_stop();
  const std::scoped_lock hold(this->cv_);
  int calls = 0;
  EXPECT_TRUE(this->cv_.wait_for([&] { return ++calls == 2; }, forever, stopped.get_token()));
  calls = 0;
  EXPECT_FALSE(this->cv_.wait_for([&] { return ++calls > 2; }, forever, stopped.get_token()));
  EXPECT_EQ(calls, 2);
}

// The timeout bounds the whole call: notifications that change nothing do not prolong it, and end it nowhere early.
TYPED_TEST(WaitFor, IsBoundedAsAWholeUnderNotifications) {
  std::atomic<bool> done{false};
  std::atomic<int> looks{0};
  Bunch notifier;
  notifier.add([&] {
    while (!done) {
      this->notify_all();
      std::this_thread::yield();
    }
  });
  {
    const std::scoped_lock hold(this->cv_);
    const auto start = steady_clock::now();
    EXPECT_FALSE(this->cv_.wait_for(
        [&] {
          ++looks;
          return false;
        },
        kShortDelay));
    EXPECT_GE(steady_clock::now() - start, kShortDelay);
  }
  done = true;
  EXPECT_GE(looks, 2);
}

TYPED_TEST(WaitFor, GoesOnUntilThePredicateIsTrue) {
  int value = 0;
  Bunch waiter;
  waiter.add([&] {
    const std::scoped_lock hold(this->cv_);
    EXPECT_EQ(this->cv_.wait_for([&] { return value >= 3 ? value : 0; }), 3);
  });
  while (value < 3) {
    const std::scoped_lock hold(this->cv_);
    ++value;
    this->cv_.notify_all();
  }
}

// The result is the predicate's own last value, of its own type.
TYPED_TEST(WaitFor, ReturnsThePredicatesLastValue) {
  const std::scoped_lock hold(this->cv_);
  int number = 41;
  const auto pointer = this->cv_.wait_for([&] { return &number; });
  static_assert(std::is_same_v<decltype(pointer), int* const>);
  EXPECT_EQ(pointer, &number);
  EXPECT_EQ(this->cv_.wait_for([] { return std::optional<int>(7); }), std::optional<int>(7));
  EXPECT_EQ(this->cv_.wait_for([] { return std::optional<int>(); }, no_wait), std::nullopt);
  const std::unique_ptr<int> owned = this->cv_.wait_for([] { return std::make_unique<int>(5); });
  EXPECT_EQ(*owned, 5);
}

// The predicate runs with the lock held.
TYPED_TEST(WaitFor, HoldsTheLockWhileItLooks) {
  const std::scoped_lock hold(this->cv_);
  static_cast<void>(this->cv_.wait_for(
      [&] {
        Bunch other;
        other.add([&] { EXPECT_FALSE(this->cv_.try_lock()); });
        return false;
      },
      1ms));
}

// What the predicate throws comes out, and the lock is still the caller's.
TYPED_TEST(WaitFor, LetsExceptionsOfThePredicateThrough) {
  const std::scoped_lock hold(this->cv_);
  int calls = 0;
  EXPECT_THROW(static_cast<void>(this->cv_.wait_for(
                   [&]() -> bool {
                     if (++calls == 2) throw std::domain_error("enough");
                     return false;
                   },
                   no_wait)),
               std::domain_error);
  Bunch other;
  other.add([&] { EXPECT_FALSE(this->cv_.try_lock()); });
}

TYPED_TEST(WaitFor, StopEndsIt) {
  std::stop_source source;
  std::atomic<bool> looked{false};
  Bunch waiter;
  waiter.add([&] {
    const std::scoped_lock hold(this->cv_);
    EXPECT_FALSE(this->cv_.wait_for(
        [&] {
          looked = true;
          return false;
        },
        forever, source.get_token()));
  });
  ASSERT_TRUE(eventually([&] { return looked.load(); }));
  source.request_stop();
}

}  // namespace
