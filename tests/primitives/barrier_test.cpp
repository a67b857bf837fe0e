// SPDX-License-Identifier: MIT
//
// Barrier without an action: filling, passing, breaking, mending.
#include <threading/barrier.hpp>

#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <set>
#include <stop_token>
#include <vector>

#include "primitives/barrier_fixture.hpp"

namespace {

using namespace std::chrono_literals;
using namespace barrier_test;
using std::chrono::steady_clock;

TEST_F(BarrierTest, TellsItsParties) {
  EXPECT_EQ(Barrier(1).parties(), 1u);
  EXPECT_EQ(Barrier(42).parties(), 42u);
  EXPECT_EQ(Barrier(std::size_t{1} << 28).parties(), std::size_t{1} << 28);
}

TEST_F(BarrierTest, RefusesNoPartiesAndAbsurdlyMany) {
  expect_error<ValueError>("parties must be >= 1", [] { Barrier(0); });
  expect_error<ValueError>("parties must be >= 1", [] { Barrier(static_cast<std::size_t>(-1)); });
  expect_error<ValueError>("parties must be >= 1", [] { Barrier((std::size_t{1} << 28) + 1); });
}

TEST_F(BarrierTest, IsWholeAndEmptyAtFirst) {
  const Barrier barrier(3);
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(barrier.n_waiting(), 0u);
}

TEST_F(BarrierTest, OfOnePassesAtOnce) {
  Barrier barrier(1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(barrier.wait(), 0u);
  EXPECT_EQ(barrier.wait(no_wait), 0u);
  EXPECT_EQ(barrier.n_waiting(), 0u);
}

// The index is the order of arrival: 0 for the first, parties - 1 for the last, each once.
TEST_F(BarrierTest, ReturnsTheOrderOfArrival) {
  Barrier barrier(4);
  for (std::size_t i = 0; i < 3; ++i) {
    arrive(barrier);
    EXPECT_EQ(barrier.n_waiting(), i + 1);
  }
  EXPECT_EQ(barrier.wait(), 3u);
  EXPECT_EQ(barrier.n_waiting(), 0u);
  threads_.join();
  EXPECT_EQ(outcomes(), (std::vector<int>{0, 1, 2}));
}

TEST_F(BarrierTest, LetsNobodyPassBeforeTheLastArrives) {
  Barrier barrier(3);
  arrive(barrier);
  arrive(barrier);
  EXPECT_FALSE(eventually([&] { return threads_.finished() != 0; }, kShortDelay));
  barrier.wait();
}

// The last to arrive passes although its timeout has passed or stop was requested: it need not block.
TEST_F(BarrierTest, LetsTheLastPassWhateverItsBound) {
  std::stop_source stopped;
  stopped.request_stop();
  Barrier barrier(2);
  arrive(barrier);
  EXPECT_EQ(barrier.wait(no_wait), 1u);
  threads_.join();
  arrive(barrier);
  EXPECT_EQ(barrier.wait(forever, stopped.get_token()), 1u);
  EXPECT_FALSE(barrier.broken());
}

// Used again and again; a fast thread that comes back before the slow ones have left joins the next set, not theirs.
TEST_F(BarrierTest, ServesManyGenerationsInAHurry) {
  for (const std::size_t parties : {2u, 3u, 5u}) {
    Barrier barrier(parties);
    const int generations = rounds(5'000);
    std::vector<std::atomic<int>> arrived(static_cast<std::size_t>(generations));
    std::vector<std::atomic<std::size_t>> sum(static_cast<std::size_t>(generations));
    Bunch bunch(static_cast<int>(parties), [&] {
      for (std::size_t g = 0; g < static_cast<std::size_t>(generations); ++g) {
        ++arrived[g];
        const std::size_t index = barrier.wait();
        ASSERT_EQ(arrived[g], static_cast<int>(parties)) << "passed generation " << g << " too early";
        sum[g] += index;
      }
    });
    bunch.join();
    for (const auto& total : sum) ASSERT_EQ(total, parties * (parties - 1) / 2) << "an index came twice";
    EXPECT_EQ(barrier.n_waiting(), 0u);
  }
}

// One timeout breaks the barrier for all: they could never be complete.
TEST_F(BarrierTest, ATimeoutBreaksItForAll) {
  Barrier barrier(4);
  arrive(barrier);
  arrive(barrier);
  const auto start = steady_clock::now();
  expect_broken([&] { barrier.wait(kShortDelay); });
  EXPECT_GE(steady_clock::now() - start, kShortDelay);
  threads_.join();
  EXPECT_EQ(outcomes(), (std::vector<int>{kBroken, kBroken}));
  EXPECT_TRUE(barrier.broken());
  EXPECT_EQ(barrier.n_waiting(), 0u);
}

TEST_F(BarrierTest, APassedTimeoutBreaksItAtOnce) {
  for (const Timeout timeout :
       {no_wait, Timeout(0.0), Timeout(-1.0), Timeout(-1h), Timeout(steady_clock::now() - 1s)}) {
    Barrier barrier(2);
    expect_broken([&] { barrier.wait(timeout); });
    EXPECT_TRUE(barrier.broken());
  }
}

// The constructor's timeout is the default of wait(), counted from each wait; wait(timeout) overrules it.
TEST_F(BarrierTest, HasADefaultTimeout) {
  Barrier barrier(2, {}, kShortDelay);
  for (int i = 0; i < 2; ++i) {
    const auto start = steady_clock::now();
    expect_broken([&] { barrier.wait(); });
    EXPECT_GE(steady_clock::now() - start, kShortDelay);
    barrier.reset();
  }
  Bunch bunch(2, [&] { barrier.wait(kLongDelay); });
  bunch.join();
  EXPECT_FALSE(barrier.broken());
}

TEST_F(BarrierTest, TakesADefaultTimeoutThatHasPassed) {
  Barrier barrier(2, {}, -1.0);
  expect_broken([&] { barrier.wait(); });
}

// A bad number throws before the barrier is touched.
TEST_F(BarrierTest, RejectsBadNumbersAndIsUnchanged) {
  Barrier barrier(2);
  expect_error<ValueError>("Invalid value NaN (not a number)", [&] { barrier.wait(std::nan("")); });
  expect_error<OverflowError>("timestamp out of range for C PyTime_t", [&] { barrier.wait(1e100); });
  expect_error<ValueError>("Invalid value NaN (not a number)", [] { Barrier(2, {}, std::nan("")); });
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(barrier.n_waiting(), 0u);
}

TEST_F(BarrierTest, AStopBreaksItForAll) {
  std::stop_source source;
  Barrier barrier(3);
  arrive(barrier);
  arrive(barrier, forever, source.get_token());
  source.request_stop();
  threads_.join();
  EXPECT_EQ(outcomes(), (std::vector<int>{kBroken, kBroken}));
  EXPECT_TRUE(barrier.broken());
}

TEST_F(BarrierTest, AStopBeforeBreaksIt) {
  std::stop_source stopped;
  stopped.request_stop();
  Barrier barrier(3);
  arrive(barrier);
  expect_broken([&] { barrier.wait(forever, stopped.get_token()); });
  threads_.join();
  EXPECT_EQ(outcomes(), std::vector<int>{kBroken});
}

TEST_F(BarrierTest, AbortBreaksItForAllAndForNewcomers) {
  Barrier barrier(4);
  arrive(barrier);
  arrive(barrier);
  barrier.abort();
  threads_.join();
  EXPECT_EQ(outcomes(), (std::vector<int>{kBroken, kBroken}));
  EXPECT_TRUE(barrier.broken());
  EXPECT_EQ(barrier.n_waiting(), 0u);
  for (int i = 0; i < 5; ++i) expect_broken([&] { barrier.wait(); });
  barrier.abort();
  EXPECT_TRUE(barrier.broken());
}

TEST_F(BarrierTest, AbortOfOneBreaksIt) {
  Barrier barrier(1);
  barrier.abort();
  expect_broken([&] { barrier.wait(); });
  barrier.reset();
  EXPECT_EQ(barrier.wait(), 0u);
}

// reset() sends those who wait away with the error; the barrier itself is whole and empty afterwards.
TEST_F(BarrierTest, ResetSendsAwayThoseWhoWait) {
  Barrier barrier(3);
  arrive(barrier);
  arrive(barrier);
  barrier.reset();
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(barrier.n_waiting(), 0u);
  threads_.join();
  EXPECT_EQ(outcomes(), (std::vector<int>{kBroken, kBroken}));
  expect_usable(barrier);
}

TEST_F(BarrierTest, ResetMendsABrokenBarrier) {
  Barrier barrier(2);
  barrier.abort();
  barrier.reset();
  EXPECT_FALSE(barrier.broken());
  expect_usable(barrier);
  expect_broken([&] { barrier.wait(1ms); });
  barrier.reset();
  expect_usable(barrier);
}

TEST_F(BarrierTest, ResetOfAnEmptyBarrierChangesNothing) {
  Barrier barrier(2);
  barrier.reset();
  EXPECT_FALSE(barrier.broken());
  expect_usable(barrier);
}

// abort() and reset() in a row, while those who were sent away are still on their way out.
TEST_F(BarrierTest, AbortAndResetInARowLeaveItUsable) {
  Barrier barrier(3);
  for (int i = 0; i < rounds(100); ++i) {
    arrive(barrier);
    arrive(barrier);
    barrier.abort();
    barrier.reset();
    expect_usable(barrier);
  }
  threads_.join();
  for (const int outcome : outcomes()) EXPECT_EQ(outcome, kBroken);
}

// Timeouts, aborts and resets at any moment: every wait ends, and after a last reset the barrier works.
TEST_F(BarrierTest, SurvivesBreakingAndMendingAtAnyMoment) {
  Barrier barrier(3);
  std::atomic<bool> done{false};
  Bunch breaker;
  breaker.add([&] {
    for (int i = 0; !done; ++i) {
      i % 3 == 0 ? barrier.abort() : barrier.reset();
      for (int k = 0; k < i % 7; ++k) std::this_thread::yield();
    }
  });
  {
    Bunch bunch(3, [&](int index) {
      for (int i = 0; i < rounds(3'000); ++i) {
        try {
          index == 0 ? barrier.wait(50us) : barrier.wait();
        } catch (const BrokenBarrierError&) {
        }
      }
    });
  }
  done = true;
  breaker.join();
  barrier.reset();
  EXPECT_FALSE(barrier.broken());
  expect_usable(barrier);
}

// Whoever has passed may destroy the barrier, also while the others are still on their way out.
TEST_F(BarrierTest, MayBeDestroyedByTheFirstThatPasses) {
  for (int i = 0; i < rounds(1'000); ++i) {
    auto barrier = std::make_unique<Barrier>(3);
    Barrier* raw = barrier.get();
    std::atomic<bool> first{true};
    Bunch bunch(3, [&] {
      raw->wait();
      if (first.exchange(false)) barrier.reset();
    });
  }
}

// What each party did before wait() is seen by all after it. (The plain integers are for a race detector.)
TEST_F(BarrierTest, PublishesToAll) {
  Barrier barrier(3);
  std::vector<int> cells(3, 0);
  const int count = rounds(1'000);
  Bunch bunch(3, [&](int index) {
    for (int i = 1; i <= count; ++i) {
      cells[static_cast<std::size_t>(index)] = i;
      barrier.wait();
      for (const int cell : cells) ASSERT_EQ(cell, i);
      barrier.wait();
    }
  });
}

}  // namespace
