// SPDX-License-Identifier: MIT
//
// requeue(): waiters change their address without waking, and are then deaf to timeout and stop.
#include <threading/parking_lot.hpp>

#include <stop_token>

#include "parking/inspect.hpp"
#include "parking/lot_fixture.hpp"

namespace {

using namespace lot_test;

class Requeue : public LotTest {
 protected:
  std::size_t move(std::size_t wake, std::size_t count) {
    return requeue(&key_, &other_, kOtherKind, [=](const QueueView&) noexcept {
      return RequeueDecision{wake, count, 9};
    });
  }
};

TEST_F(Requeue, DoesNothingOnAnEmptyQueueButAsk) {
  bool asked = false;
  EXPECT_EQ(requeue(&key_, &other_, kOtherKind,
                    [&](const QueueView& queue) noexcept {
                      asked = true;
                      EXPECT_EQ(queue.size, 0u);
                      return RequeueDecision{1, 1};
                    }),
            0u);
  EXPECT_TRUE(asked);
}

TEST_F(Requeue, MovesWithoutWaking) {
  park_threads(&key_, 0, 4);
  EXPECT_EQ(move(0, 3), 3u);
  EXPECT_EQ(waiters_at(&key_), 1u);
  EXPECT_EQ(waiters_at(&other_), 3u);
  EXPECT_FALSE(eventually([&] { return log_size() != 0; }, kShortDelay));
  EXPECT_EQ(drain(&other_), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(drain(&key_), (std::vector<int>{0, 1, 2, 3}));
}

TEST_F(Requeue, JoinsTheEndOfTheOtherQueue) {
  park_threads(&other_, 10, 2);
  park_threads(&key_, 0, 2);
  EXPECT_EQ(move(0, 2), 2u);
  park_thread(&other_, 20);
  EXPECT_EQ(drain(&other_), (std::vector<int>{10, 11, 0, 1, 20}));
}

TEST_F(Requeue, WakesTheFirstAndMovesTheNext) {
  park_threads(&key_, 0, 5);
  EXPECT_EQ(move(2, 2), 4u);
  ASSERT_TRUE(eventually([&] { return log_size() == 2; }));
  for (const auto& [name, result] : log_) {
    EXPECT_LT(name, 2);
    EXPECT_EQ(result.token, 9u);
  }
  EXPECT_EQ(waiters_at(&key_), 1u);
  EXPECT_EQ(waiters_at(&other_), 2u);
  unpark_all(&key_);
  unpark_all(&other_);
}

TEST_F(Requeue, CountsNoMoreThanThereAre) {
  park_threads(&key_, 0, 3);
  EXPECT_EQ(move(1, SIZE_MAX), 3u);
  EXPECT_EQ(waiters_at(&key_), 0u);
  EXPECT_EQ(unpark_all(&other_), 2u);
  threads_.join();
  park_threads(&key_, 10, 2);
  EXPECT_EQ(move(SIZE_MAX, SIZE_MAX), 2u);
}

// The age of a moved waiter counts from the move: it was the condition it waited for before, not the lock.
TEST_F(Requeue, StartsTheAgeAnew) {
  const std::int64_t now = detail::backend::monotonic_now();
  park_thread(&key_, 0, {.since = now - 100 * kHandOverAfter});
  EXPECT_EQ(move(0, 1), 1u);
  unpark(&other_, [&](const QueueView& queue) noexcept -> UnparkDecision {
    EXPECT_GE(queue.first_since, now);
    return {1};
  });
}

// A moved waiter has been notified; a deadline that passes now would lose that notification.
TEST_F(Requeue, MakesWaitersDeafToTheirDeadline) {
  std::atomic<bool> left{false};
  threads_.add([&] {
    log(0, park(&key_, kTestKind, kYes, kNothing, [&](bool, LeaveReason) noexcept { left = true; },
                {.deadline = Deadline::after(std::chrono::nanoseconds(kSmallDelay).count())}));
  });
  ASSERT_TRUE(eventually([&] { return waiters_at(&key_) == 1; }));
  ASSERT_EQ(move(0, 1), 1u);
  EXPECT_FALSE(eventually([&] { return log_size() != 0; }, 2 * kSmallDelay));
  EXPECT_EQ(unpark_one(&other_, 3), 1u);
  threads_.join();
  EXPECT_EQ(log_[0].second.outcome, ParkOutcome::woken);
  EXPECT_EQ(log_[0].second.token, 3u);
  EXPECT_FALSE(left);
}

TEST_F(Requeue, MakesWaitersDeafToAStopRequest) {
  std::stop_source source;
  const std::stop_token token = source.get_token();
  park_thread(&key_, 0, {.stop = &token});
  ASSERT_EQ(move(0, 1), 1u);
  source.request_stop();
  EXPECT_FALSE(eventually([&] { return log_size() != 0; }, kShortDelay));
  EXPECT_EQ(waiters_at(&other_), 1u);
  EXPECT_EQ(unpark_one(&other_), 1u);
  threads_.join();
  EXPECT_EQ(log_[0].second.outcome, ParkOutcome::woken);
}

// Also when the move ends where it began.
TEST_F(Requeue, KeepsWaitersDeafThatWereMovedBack) {
  std::stop_source source;
  const std::stop_token token = source.get_token();
  park_thread(&key_, 0, {.deadline = Deadline::after(std::chrono::nanoseconds(kSmallDelay).count()), .stop = &token});
  ASSERT_EQ(move(0, 1), 1u);
  ASSERT_EQ(requeue(&other_, &key_, kTestKind, [](const QueueView&) noexcept { return RequeueDecision{0, 1}; }), 1u);
  source.request_stop();
  EXPECT_FALSE(eventually([&] { return log_size() != 0; }, 2 * kSmallDelay));
  EXPECT_EQ(unpark_one(&key_), 1u);
  threads_.join();
  EXPECT_EQ(log_[0].second.outcome, ParkOutcome::woken);
}

// From an address to itself: nobody is lost, and the order stays.
TEST_F(Requeue, MovesWithinOneAddress) {
  park_threads(&key_, 0, 3);
  EXPECT_EQ(requeue(&key_, &key_, kTestKind,
                    [](const QueueView&) noexcept {
                      return RequeueDecision{0, SIZE_MAX};
                    }),
            3u);
  EXPECT_EQ(waiters_at(&key_), 3u);
  EXPECT_EQ(drain(&key_), (std::vector<int>{0, 1, 2}));
}

// The record of a moved waiter says what it waits for now.
TEST_F(Requeue, ShowsInTheRecords) {
  park_thread(&key_, 0);
  ASSERT_EQ(move(0, 1), 1u);
  parking::WaitRecord record{};
  ASSERT_EQ(parking::collect_waiters(&record, 1), 1u);
  EXPECT_EQ(record.object, &other_);
  EXPECT_STREQ(record.kind, "Other");
  unpark_one(&other_);
}

// Timeouts, moves and wakes at the same time: each waiter leaves exactly once, and every wake finds one.
TEST_F(Requeue, LosesNobodyAgainstTimeouts) {
  std::atomic<bool> done{false};
  std::atomic<int> woken{0};
  std::atomic<std::size_t> unparked{0};
  Bunch movers;
  movers.add([&] {
    while (!done) {
      const std::size_t moved = requeue(&key_, &other_, kOtherKind, [](const QueueView&) noexcept {
        return RequeueDecision{0, 2};
      });
      if (moved == 0) std::this_thread::yield();
    }
  });
  movers.add([&] {
    while (!done) {
      const std::size_t count = unpark_all(&other_);
      unparked += count;
      if (count == 0) std::this_thread::yield();
    }
  });
  {
    Bunch sleepers(3, [&](int index) {
      for (int i = 0; i < rounds(3'000); ++i) {
        const Deadline deadline = Deadline::after((i * 53 + index * 311) % 15'000 + 1);
        if (park_simply(&key_, {.deadline = deadline}).outcome == ParkOutcome::woken) ++woken;
      }
    });
  }
  done = true;
  movers.join();
  EXPECT_EQ(static_cast<std::size_t>(woken.load()), unparked.load());
}

}  // namespace
