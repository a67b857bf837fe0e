// SPDX-License-Identifier: MIT
//
// Stop requests as a way out of the lot.
#include <threading/parking_lot.hpp>

#include <stop_token>

#include "parking/lot_fixture.hpp"

namespace {

using namespace lot_test;

using ParkStop = LotTest;

TEST_F(ParkStop, EndsAWait) {
  std::stop_source source;
  const std::stop_token token = source.get_token();
  park_thread(&key_, 0, {.stop = &token});
  source.request_stop();
  threads_.join();
  EXPECT_EQ(log_[0].second.outcome, ParkOutcome::interrupted);
  EXPECT_EQ(waiters_at(&key_), 0u);
}

TEST_F(ParkStop, IgnoresATokenThatCanNeverStop) {
  const std::stop_token token;
  EXPECT_EQ(park_simply(&key_, {.deadline = Deadline::after(1'000), .stop = &token}).outcome, ParkOutcome::timed_out);
}

// Takes out exactly the thread whose token it is, from the middle as well, and leaves the others in order.
TEST_F(ParkStop, TakesOutOneOfMany) {
  std::stop_source source;
  const std::stop_token token = source.get_token();
  park_threads(&key_, 0, 2);
  park_thread(&key_, 2, {.stop = &token});
  park_threads(&key_, 3, 2);
  source.request_stop();
  ASSERT_TRUE(eventually([&] { return log_size() == 1; }));
  drained_ = 1;
  EXPECT_EQ(drain(&key_), (std::vector<int>{2, 0, 1, 3, 4}));
}

TEST_F(ParkStop, EndsAllWaitsOfOneSource) {
  std::stop_source source;
  const std::stop_token token = source.get_token();
  park_threads(&key_, 0, 5, {.stop = &token});
  park_threads(&other_, 5, 2, {.stop = &token});
  source.request_stop();
  threads_.join();
  EXPECT_EQ(log_.size(), 7u);
}

// Stopped before it began: it joins (validate has counted it), lets go of what the caller holds, and leaves at once.
TEST_F(ParkStop, RunsAllCallbacksWhenStoppedBefore) {
  std::stop_source source;
  source.request_stop();
  const std::stop_token token = source.get_token();
  int validated = 0;
  int before_sleep = 0;
  int left = 0;
  const ParkResult result = park(
      &key_, kTestKind,
      [&]() noexcept {
        ++validated;
        return true;
      },
      [&]() noexcept { ++before_sleep; },
      [&](bool has_more, LeaveReason reason) noexcept {
        ++left;
        EXPECT_FALSE(has_more);
        EXPECT_EQ(reason, LeaveReason::stop);
      },
      {.stop = &token});
  EXPECT_EQ(result.outcome, ParkOutcome::interrupted);
  EXPECT_EQ(validated, 1);
  EXPECT_EQ(before_sleep, 1);
  EXPECT_EQ(left, 1);
}

// What need not block does not look at the token.
TEST_F(ParkStop, PrefersChangedToAStopBefore) {
  std::stop_source source;
  source.request_stop();
  const std::stop_token token = source.get_token();
  const ParkResult result =
      park(&key_, kTestKind, []() noexcept { return false; }, kNothing, kIgnore, {.stop = &token});
  EXPECT_EQ(result.outcome, ParkOutcome::changed);
}

// The lock that before_sleep releases may be what the requester of the stop waits for.
TEST_F(ParkStop, MayBeRequestedFromBeforeSleep) {
  std::stop_source source;
  const std::stop_token token = source.get_token();
  const ParkResult result =
      park(&key_, kTestKind, kYes, [&]() noexcept { source.request_stop(); }, kIgnore, {.stop = &token});
  EXPECT_EQ(result.outcome, ParkOutcome::interrupted);
}

// A wake that came first is not undone by the stop request.
TEST_F(ParkStop, DoesNotUndoAWake) {
  std::stop_source source;
  const std::stop_token token = source.get_token();
  const ParkResult result = park(&key_, kTestKind, kYes,
                                 [&]() noexcept {
                                   unpark_one(&key_, 8);
                                   source.request_stop();
                                 },
                                 kIgnore, {.stop = &token});
  EXPECT_EQ(result.outcome, ParkOutcome::woken);
  EXPECT_EQ(result.token, 8u);
}

// leave() runs once and before the wait returns, whoever runs it.
TEST_F(ParkStop, LeavesExactlyOnceAgainstTimeoutsAndWakes) {
  std::atomic<int> left{0};
  int woken = 0;
  int ended = 0;
  std::atomic<std::size_t> unparked{0};
  std::atomic<bool> done{false};
  std::atomic<std::stop_source*> current{nullptr};
  std::atomic<int> requests{0};
  int taken = 0;
  Bunch others;
  others.add([&] {
    while (!done) {
      if (std::stop_source* source = current.exchange(nullptr)) {
        source->request_stop();
        ++requests;
      }
      std::this_thread::yield();
    }
  });
  others.add([&] {
    while (!done) {
      unparked += unpark_one(&key_);
      std::this_thread::yield();
    }
  });
  const int count = rounds(2'000);
  for (int i = 0; i < count; ++i) {
    std::stop_source source;
    const std::stop_token token = source.get_token();
    current = &source;
    const ParkResult result = park(&key_, kTestKind, kYes, kNothing, [&](bool, LeaveReason) noexcept { ++left; },
                                   {.deadline = Deadline::after(i * 97 % 30'000 + 1), .stop = &token});
    result.outcome == ParkOutcome::woken ? ++woken : ++ended;
    // The source must outlive the request, if one is under way.
    if (current.exchange(nullptr) == nullptr) ++taken;
    while (requests != taken) std::this_thread::yield();
    ASSERT_EQ(left, ended);
  }
  done = true;
  others.join();
  EXPECT_EQ(static_cast<std::size_t>(woken), unparked.load());
}

}  // namespace
