// SPDX-License-Identifier: MIT
//
// Barrier with an action: who runs it, what it may do, and who waits meanwhile.
#include <threading/barrier.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>

#include <threading/event.hpp>

#include "primitives/barrier_fixture.hpp"

namespace {

using namespace std::chrono_literals;
using namespace barrier_test;

// An action that stays inside until it is told to go on.
class BarrierAction : public BarrierTest {
 protected:
  std::function<void()> staying() {
    return [this] {
      inside_.set();
      go_on_.wait();
    };
  }
  Event inside_;
  Event go_on_;
};

// The last to arrive runs it, before anybody passes.
TEST_F(BarrierAction, RunsInTheLastToArriveBeforeAnybodyPasses) {
  std::thread::id actor;
  int runs = 0;
  Barrier barrier(3, [&] {
    actor = std::this_thread::get_id();
    ++runs;
    EXPECT_EQ(outcomes(), (std::vector<int>{kStillInside, kStillInside}));
  });
  arrive(barrier);
  arrive(barrier);
  EXPECT_EQ(barrier.wait(), 2u);
  EXPECT_EQ(actor, std::this_thread::get_id());
  EXPECT_EQ(runs, 1);
  threads_.join();
  EXPECT_EQ(outcomes(), (std::vector<int>{0, 1}));
}

// Once for each set. Everything that the parties did before is seen by it, and what it did by them. (The plain integers
// are for a race detector.)
TEST_F(BarrierAction, RunsOncePerGenerationAndSeesWhatPrecedes) {
  std::vector<int> cells(3, 0);
  int sum = 0;
  Barrier barrier(3, [&] { sum = cells[0] + cells[1] + cells[2]; });
  Barrier all_have_looked(3);
  Bunch bunch(3, [&](int index) {
    for (int i = 1; i <= rounds(2'000); ++i) {
      cells[static_cast<std::size_t>(index)] = i;
      barrier.wait();
      ASSERT_EQ(sum, 3 * i);
      all_have_looked.wait();
    }
  });
}

TEST_F(BarrierAction, RunsForABarrierOfOne) {
  int runs = 0;
  Barrier barrier(1, [&] { ++runs; });
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(barrier.wait(), 0u);
    EXPECT_EQ(runs, i);
  }
}

// An empty function is no action.
TEST_F(BarrierAction, MayBeEmpty) {
  Barrier barrier(2, std::function<void()>());
  expect_usable(barrier);
}

// What it throws reaches the thread that ran it; the others get BrokenBarrierError; the barrier stays broken.
TEST_F(BarrierAction, ThatThrowsBreaksTheBarrier) {
  Barrier barrier(3, [] { throw std::domain_error("the action failed"); });
  arrive(barrier);
  arrive(barrier);
  expect_error<std::domain_error>("the action failed", [&] { barrier.wait(); });
  threads_.join();
  EXPECT_EQ(outcomes(), (std::vector<int>{kBroken, kBroken}));
  EXPECT_TRUE(barrier.broken());
  expect_broken([&] { barrier.wait(); });
}

TEST_F(BarrierAction, ThatThrowsCanBeMendedByReset) {
  bool fails = true;
  Barrier barrier(2, [&] {
    if (fails) throw std::domain_error("once");
  });
  arrive(barrier);
  EXPECT_THROW(barrier.wait(), std::domain_error);
  threads_.join();
  fails = false;
  barrier.reset();
  expect_usable(barrier);
}

// While the action runs nobody counts as waiting, and the barrier is not broken.
TEST_F(BarrierAction, HidesTheWaitingWhileItRuns) {
  Barrier barrier(2, staying());
  arrive(barrier);
  start(barrier);
  inside_.wait();
  EXPECT_EQ(barrier.n_waiting(), 0u);
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(outcomes(), (std::vector<int>{kStillInside, kStillInside}));
  go_on_.set();
  threads_.join();
  EXPECT_EQ(outcomes(), (std::vector<int>{0, 1}));
}

// The set is complete: a timeout or a stop request that comes while the action runs breaks nothing.
TEST_F(BarrierAction, MakesTimeoutsAndStopsOfItsSetVoid) {
  std::stop_source source;
  Barrier barrier(3, staying());
  arrive(barrier, kSmallDelay);
  arrive(barrier, forever, source.get_token());
  start(barrier);
  inside_.wait();
  source.request_stop();
  EXPECT_FALSE(eventually([&] { return barrier.broken(); }, 2 * kSmallDelay));
  go_on_.set();
  threads_.join();
  EXPECT_EQ(outcomes(), (std::vector<int>{0, 1, 2}));
  EXPECT_FALSE(barrier.broken());
}

// Newcomers wait for the set before theirs, without their timeout, and are counted only then.
TEST_F(BarrierAction, MakesNewcomersWaitForTheNextSet) {
  int runs = 0;
  Barrier barrier(2, [&] {
    if (++runs != 1) return;
    inside_.set();
    go_on_.wait();
  });
  arrive(barrier);
  start(barrier);
  inside_.wait();
  start(barrier, kLongDelay);
  EXPECT_FALSE(eventually([&] { return barrier.n_waiting() != 0 || barrier.broken(); }, kShortDelay));
  go_on_.set();
  ASSERT_TRUE(eventually([&] { return barrier.n_waiting() == 1; }));
  EXPECT_EQ(barrier.wait(), 1u);
  threads_.join();
  EXPECT_EQ(outcomes(), (std::vector<int>{0, 1, 0}));
  EXPECT_EQ(runs, 2);
}

// A newcomer that is stopped leaves the complete set alone.
TEST_F(BarrierAction, IsNotDisturbedByANewcomerThatIsStopped) {
  std::stop_source source;
  source.request_stop();
  Barrier barrier(2, staying());
  arrive(barrier);
  start(barrier);
  inside_.wait();
  expect_broken([&] { barrier.wait(forever, source.get_token()); });
  EXPECT_FALSE(barrier.broken());
  go_on_.set();
  threads_.join();
  EXPECT_EQ(outcomes(), (std::vector<int>{0, 1}));
  EXPECT_FALSE(barrier.broken());
}

// abort() while the action runs: the whole set gets the error, and so do newcomers at once.
TEST_F(BarrierAction, CanBeOvertakenByAbort) {
  Barrier barrier(2, staying());
  arrive(barrier);
  start(barrier);
  inside_.wait();
  barrier.abort();
  EXPECT_TRUE(barrier.broken());
  expect_broken([&] { barrier.wait(); });
  go_on_.set();
  threads_.join();
  EXPECT_EQ(outcomes(), (std::vector<int>{kBroken, kBroken}));
  EXPECT_TRUE(barrier.broken());
}

// reset() while the action runs: the set gets the error, and the barrier is whole for the next.
TEST_F(BarrierAction, CanBeOvertakenByReset) {
  bool stays = true;
  Barrier barrier(2, [&] {
    if (!stays) return;
    inside_.set();
    go_on_.wait();
  });
  arrive(barrier);
  start(barrier);
  inside_.wait();
  barrier.reset();
  EXPECT_FALSE(barrier.broken());
  go_on_.set();
  threads_.join();
  EXPECT_EQ(outcomes(), (std::vector<int>{kBroken, kBroken}));
  EXPECT_FALSE(barrier.broken());
  stays = false;
  expect_usable(barrier);
}

// Both in a row: the last word counts.
TEST_F(BarrierAction, CanBeOvertakenByAbortAndReset) {
  for (const bool abort_last : {false, true}) {
    inside_.clear();
    go_on_.clear();
    Barrier barrier(2, staying());
    arrive(barrier);
    start(barrier);
    inside_.wait();
    if (abort_last) barrier.reset();
    barrier.abort();
    if (!abort_last) barrier.reset();
    go_on_.set();
    threads_.join();
    EXPECT_EQ(barrier.broken(), abort_last);
  }
  EXPECT_EQ(outcomes(), std::vector<int>(4, kBroken));
}

// The action itself may break or mend the barrier.
TEST_F(BarrierAction, MayAbortOrResetItsOwnBarrier) {
  Barrier* self = nullptr;
  bool aborts = true;
  Barrier barrier(2, [&] { aborts ? self->abort() : self->reset(); });
  self = &barrier;
  arrive(barrier);
  expect_broken([&] { barrier.wait(); });
  threads_.join();
  EXPECT_TRUE(barrier.broken());
  barrier.reset();
  aborts = false;
  arrive(barrier);
  expect_broken([&] { barrier.wait(); });
  threads_.join();
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(outcomes(), (std::vector<int>{kBroken, kBroken}));
}

// Fast threads come back while the action of the set before is hardly over: every set has its action exactly once.
TEST_F(BarrierAction, ServesManyGenerationsInAHurry) {
  int runs = 0;
  Barrier barrier(3, [&] { ++runs; });
  const int generations = rounds(5'000);
  Bunch bunch(3, [&] {
    for (int i = 0; i < generations; ++i) barrier.wait();
  });
  bunch.join();
  EXPECT_EQ(runs, generations);
  EXPECT_FALSE(barrier.broken());
}

// More threads than parties: sets form and drain while others press in; every wait belongs to a complete set.
TEST_F(BarrierAction, ServesACrowdLargerThanASet) {
  int runs = 0;
  Barrier barrier(2, [&] { ++runs; });
  const int waits = 2 * rounds(4'000);
  // Taken one by one: of shares of its own a thread might have two left when all others are done.
  std::atomic<int> tickets{waits};
  std::atomic<int> passed{0};
  Bunch bunch(4, [&] {
    while (--tickets >= 0) {
      barrier.wait();
      ++passed;
    }
  });
  bunch.join();
  EXPECT_EQ(passed, waits);
  EXPECT_EQ(runs, waits / 2);
}

// Whoever has passed may destroy the barrier, while the acting thread has only just let the set go.
TEST_F(BarrierAction, BarrierMayBeDestroyedByTheFirstThatPasses) {
  for (int i = 0; i < rounds(1'000); ++i) {
    int runs = 0;
    auto barrier = std::make_unique<Barrier>(3, [&runs] { ++runs; });
    Barrier* raw = barrier.get();
    std::atomic<bool> first{true};
    Bunch bunch(3, [&] {
      raw->wait();
      if (first.exchange(false)) barrier.reset();
    });
    bunch.join();
    ASSERT_EQ(runs, 1);
  }
}

}  // namespace
