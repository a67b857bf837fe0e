// SPDX-License-Identifier: MIT
//
// Event: a flag that threads wait for.
#include <threading/event.hpp>

#include <chrono>
#include <cmath>
#include <memory>
#include <stop_token>

#include <threading/errors.hpp>

#include "support/lot.hpp"
#include "support/support.hpp"

namespace {

using namespace std::chrono_literals;
using namespace support;
using namespace threading;
using std::chrono::steady_clock;

constinit Event global;
static_assert(sizeof(Event) == 4);

// Threads that wait until they are let go or give up.
class EventTest : public testing::Test {
 protected:
  template <class... Args>
  void wait_threads(int count, Args... args) {
    const std::size_t before = waiters(event_);
    for (int i = 0; i < count; ++i) {
      threads_.add([this, args...] { (event_.wait(args...) ? let_go_ : gave_up_) += 1; });
    }
    ASSERT_TRUE(eventually([&] { return waiters(event_) == before + static_cast<std::size_t>(count); }));
  }

  Event event_;
  std::atomic<int> let_go_{0};
  std::atomic<int> gave_up_{0};
  Bunch threads_;
};

TEST_F(EventTest, IsClearAtFirst) {
  EXPECT_FALSE(event_.is_set());
  EXPECT_FALSE(global.is_set());
}

TEST_F(EventTest, SetsAndClears) {
  for (int i = 0; i < 2; ++i) {
    event_.set();
    EXPECT_TRUE(event_.is_set());
    event_.set();
    EXPECT_TRUE(event_.is_set());
    event_.clear();
    EXPECT_FALSE(event_.is_set());
    event_.clear();
    EXPECT_FALSE(event_.is_set());
  }
}

// A set flag wins over a timeout that has passed and over a stop request.
TEST_F(EventTest, WaitReturnsTrueAtOnceWhenSet) {
  std::stop_source stopped;
  stopped.request_stop();
  event_.set();
  EXPECT_TRUE(event_.wait());
  EXPECT_TRUE(event_.wait(no_wait));
  EXPECT_TRUE(event_.wait(-1.0));
  EXPECT_TRUE(event_.wait(-1h));
  EXPECT_TRUE(event_.wait(forever, stopped.get_token()));
  EXPECT_TRUE(event_.is_set());
}

TEST_F(EventTest, WaitWithAPassedTimeoutReturnsFalse) {
  for (const Timeout timeout : {no_wait, Timeout(0.0), Timeout(-1.0), Timeout(-7.5), Timeout(-1h),
                                Timeout(steady_clock::now() - 1s), Timeout(steady_clock::time_point::min())}) {
    EXPECT_FALSE(event_.wait(timeout));
  }
  EXPECT_EQ(waiters(event_), 0u);
}

TEST_F(EventTest, WaitReturnsFalseAfterTheTimeoutAndNotBefore) {
  const double seconds = std::chrono::duration<double>(kShortDelay).count();
  for (const Timeout timeout : {Timeout(kShortDelay), Timeout(seconds)}) {
    const auto start = steady_clock::now();
    EXPECT_FALSE(event_.wait(timeout));
    EXPECT_GE(steady_clock::now() - start, kShortDelay);
  }
  const auto until = steady_clock::now() + kShortDelay;
  EXPECT_FALSE(event_.wait(until));
  EXPECT_GE(steady_clock::now(), until);
  EXPECT_EQ(waiters(event_), 0u);
}

TEST_F(EventTest, RejectsBadNumbersAlsoWhenSet) {
  for (int i = 0; i < 2; ++i) {
    expect_error<ValueError>("Invalid value NaN (not a number)", [&] { event_.wait(std::nan("")); });
    expect_error<OverflowError>("timestamp out of range for C PyTime_t", [&] { event_.wait(1e100); });
    EXPECT_EQ(event_.is_set(), i == 1);
    event_.set();
  }
}

TEST_F(EventTest, SetWakesAllWhoWait) {
  wait_threads(6);
  event_.set();
  threads_.join();
  EXPECT_EQ(let_go_, 6);
}

TEST_F(EventTest, HugeTimeoutsWait) {
  wait_threads(1, std::chrono::hours::max());
  wait_threads(1, TIMEOUT_MAX.count());
  wait_threads(1, steady_clock::time_point::max());
  event_.set();
  threads_.join();
  EXPECT_EQ(let_go_, 3);
}

// Whoever waited when set() was called is let go and told so, even if clear() follows at once.
TEST_F(EventTest, ClearRightAfterSetStopsNobodyWhoWaited) {
  for (int i = 1; i <= rounds(200); ++i) {
    wait_threads(3);
    event_.set();
    event_.clear();
    threads_.join();
    ASSERT_EQ(let_go_, 3 * i);
    EXPECT_FALSE(event_.is_set());
  }
}

// But who comes after clear() waits for the next set().
TEST_F(EventTest, ClearMakesNewcomersWait) {
  event_.set();
  event_.clear();
  wait_threads(1);
  EXPECT_EQ(let_go_, 0);
  event_.set();
}

// Clearing a clear event does not make set() forget those who wait.
TEST_F(EventTest, ClearWhileThreadsWaitChangesNothing) {
  wait_threads(2);
  event_.clear();
  EXPECT_EQ(waiters(event_), 2u);
  event_.set();
  threads_.join();
  EXPECT_EQ(let_go_, 2);
}

TEST_F(EventTest, StopEndsAWait) {
  std::stop_source source;
  wait_threads(2, forever, source.get_token());
  wait_threads(1);
  source.request_stop();
  ASSERT_TRUE(eventually([&] { return gave_up_ == 2; }));
  EXPECT_EQ(waiters(event_), 1u);
  EXPECT_FALSE(event_.is_set());
  event_.set();
  threads_.join();
  EXPECT_EQ(let_go_, 1);
}

TEST_F(EventTest, AStopBeforeEndsAWaitAtOnce) {
  std::stop_source source;
  source.request_stop();
  EXPECT_FALSE(event_.wait(forever, source.get_token()));
  EXPECT_FALSE(event_.wait(1h, source.get_token()));
  EXPECT_EQ(waiters(event_), 0u);
}

// One that gave up does not take the bit with it by which set() finds the others.
TEST_F(EventTest, SetFindsThoseWhoRemainAfterATimeout) {
  wait_threads(1, kShortDelay);
  wait_threads(1);
  ASSERT_TRUE(eventually([&] { return gave_up_ == 1; }));
  event_.set();
  threads_.join();
  EXPECT_EQ(let_go_, 1);
  // And after the last has given up, set() is still right.
  event_.clear();
  EXPECT_FALSE(event_.wait(1ms));
  event_.set();
  EXPECT_TRUE(event_.wait());
}

// What was written before set() is seen after wait(), is_set() and clear(): the plain integer is for a race detector.
TEST_F(EventTest, PublishesWhatPrecedesSet) {
  for (int i = 0; i < rounds(500); ++i) {
    Event event;
    int written = 0;
    Bunch setter;
    setter.add([&] {
      written = 1;
      event.set();
    });
    if (i % 2 == 0) {
      EXPECT_TRUE(event.wait());
    } else {
      while (!event.is_set()) std::this_thread::yield();
    }
    EXPECT_EQ(written, 1);
  }
}

// The doorbell: work is stored and the bell rung; the other clears the bell and then looks for work. Had set() only
// looked at a flag that was set already, the work and the clear could miss each other.
TEST_F(EventTest, IsADoorbellThatLosesNoWork) {
  const int count = rounds(200'000);
  std::atomic<int> work{0};
  Bunch ringer;
  ringer.add([&] {
    for (int i = 1; i <= count; ++i) {
      work.store(i, std::memory_order_relaxed);
      event_.set();
    }
  });
  int seen = 0;
  while (seen < count) {
    ASSERT_TRUE(event_.wait(kLongDelay)) << "work " << seen << " of " << count << " is the last that was seen";
    event_.clear();
    seen = work.load(std::memory_order_relaxed);
  }
}

// A thread that was let go may destroy the event at once.
TEST_F(EventTest, MayBeDestroyedByTheThreadThatWasLetGo) {
  for (int i = 0; i < rounds(2'000); ++i) {
    auto event = std::make_unique<Event>();
    Event* raw = event.get();
    Bunch waiter;
    waiter.add([&] {
      EXPECT_TRUE(raw->wait());
      event.reset();
    });
    if (i % 2 == 0) {
      while (waiters(*raw) == 0) std::this_thread::yield();
    }
    raw->set();
  }
}

}  // namespace
