// SPDX-License-Identifier: MIT
//
// With: Python's `with lock:`.
#include <threading/with.hpp>

#include <chrono>
#include <stop_token>
#include <type_traits>

#include <threading/condition.hpp>
#include <threading/embedding.hpp>
#include <threading/lock.hpp>
#include <threading/rlock.hpp>
#include <threading/semaphore.hpp>

#include "support/lot.hpp"
#include "support/support.hpp"

namespace {

using namespace std::chrono_literals;
using namespace support;
using namespace threading;

template <class L>
class WithTest : public testing::Test {
 protected:
  // Whether another thread could take it.
  bool is_free() {
    bool free = false;
    Bunch other;
    other.add([&] {
      free = object_.acquire(no_wait);
      if (free) object_.release();
    });
    other.join();
    return free;
  }
  L object_;
};

using Kinds = testing::Types<Lock, RLock, Condition, Semaphore, BoundedSemaphore>;
struct Names {
  template <class L>
  static std::string GetName(int) {
    if (std::is_same_v<L, Lock>) return "Lock";
    if (std::is_same_v<L, RLock>) return "RLock";
    if (std::is_same_v<L, Condition>) return "Condition";
    return std::is_same_v<L, Semaphore> ? "Semaphore" : "BoundedSemaphore";
  }
};
TYPED_TEST_SUITE(WithTest, Kinds, Names);

TYPED_TEST(WithTest, HoldsForAScope) {
  {
    const With hold(this->object_);
    EXPECT_TRUE(hold.holds());
    EXPECT_TRUE(static_cast<bool>(hold));
    EXPECT_FALSE(this->is_free());
  }
  EXPECT_TRUE(this->is_free());
}

TYPED_TEST(WithTest, ReleasesWhenAnExceptionLeavesTheScope) {
  try {
    const With hold(this->object_);
    throw 1;
  } catch (int) {
  }
  EXPECT_TRUE(this->is_free());
}

TYPED_TEST(WithTest, HoldsOnlyIfItGotTheObjectInTime) {
  if (With hold{this->object_, 5ms}) {
    EXPECT_FALSE(this->is_free());
    Bunch other;
    other.add([&] {
      const auto start = std::chrono::steady_clock::now();
      const With late{this->object_, kShortDelay};
      EXPECT_FALSE(late.holds());
      EXPECT_GE(std::chrono::steady_clock::now() - start, kShortDelay);
      const With at_once{this->object_, no_wait};
      EXPECT_FALSE(at_once);
    });
  } else {
    ADD_FAILURE() << "it was free";
  }
  EXPECT_TRUE(this->is_free()) << "a guard that held nothing has released something, or one that held has not";
}

TYPED_TEST(WithTest, GivesUpOnAStop) {
  std::stop_source source;
  source.request_stop();
  const With hold{this->object_, forever, source.get_token()};
  EXPECT_TRUE(hold.holds()) << "a free one is taken even then";
  Bunch other;
  other.add([&] { EXPECT_FALSE((With{this->object_, forever, source.get_token()}.holds())); });
}

TYPED_TEST(WithTest, ReleasesEarlyAndOnlyOnce) {
  {
    With hold(this->object_);
    hold.release();
    EXPECT_FALSE(hold.holds());
    EXPECT_TRUE(this->is_free());
    hold.release();  // does nothing
  }
  EXPECT_TRUE(this->is_free());
}

// Early release tells about misuse, which the destructor cannot; the guard is done all the same.
TEST(With, EarlyReleaseThrowsWhatTheObjectThrows) {
  Lock lock;
  With hold(lock);
  lock.release();
  expect_error<RuntimeError>("release unlocked lock", [&] { hold.release(); });
  EXPECT_FALSE(hold.holds());
}

TEST(With, TakesOneLevelOfAnRLock) {
  RLock lock;
  const With outer(lock);
  {
    const With inner(lock);
    EXPECT_EQ(Embedding::depth(lock), 2u);
  }
  EXPECT_EQ(Embedding::depth(lock), 1u);
}

TEST(With, PropagatesBadTimeouts) {
  Lock lock;
  expect_error<ValueError>("timeout value must be a non-negative number", [&] { With{lock, -3.0}; });
  EXPECT_FALSE(lock.locked());
}

}  // namespace
