// SPDX-License-Identifier: MIT
//
// park() and unpark(): the promises of parking_lot.hpp.
#include <threading/parking_lot.hpp>

#include <array>
#include <memory>

#include "base/hooks.hpp"
#include "parking/lot_fixture.hpp"
#include "parking/table.hpp"

namespace {

using namespace lot_test;

using ParkingLot = LotTest;

TEST_F(ParkingLot, DoesNotSleepWhenValidateSaysNo) {
  bool slept = false;
  bool left = false;
  const ParkResult result = park(
      &key_, kTestKind, []() noexcept { return false; }, [&]() noexcept { slept = true; },
      [&](bool, LeaveReason) noexcept { left = true; });
  EXPECT_EQ(result.outcome, ParkOutcome::changed);
  EXPECT_FALSE(slept) << "before_sleep ran although the thread was not queued";
  EXPECT_FALSE(left) << "leave ran although the thread was not queued";
  EXPECT_EQ(waiters_at(&key_), 0u);
}

TEST_F(ParkingLot, WakesNobodyWhereNobodyWaits) {
  EXPECT_EQ(unpark_one(&key_), 0u);
  EXPECT_EQ(unpark_all(&key_), 0u);
}

// `decide` runs also when nobody waits: a releaser has to free its word in it.
TEST_F(ParkingLot, AsksDecideOnAnEmptyQueue) {
  int calls = 0;
  QueueView seen{7, 7, 7, &kTestKind};
  unpark(&key_, [&](const QueueView& queue) noexcept -> UnparkDecision {
    ++calls;
    seen = queue;
    return {3};
  });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(seen.size, 0u);
  EXPECT_EQ(seen.first, 0u);
  EXPECT_EQ(seen.kind, nullptr);
  EXPECT_FALSE(seen.first_overdue());
}

// before_sleep runs with no lock held, when the thread can be woken already: it may wake itself.
TEST_F(ParkingLot, LetsBeforeSleepUnparkTheThreadItself) {
  const ParkResult result = park(
      &key_, kTestKind, kYes, [&]() noexcept { unpark_one(&key_, 5); }, kIgnore);
  EXPECT_EQ(result.outcome, ParkOutcome::woken);
  EXPECT_EQ(result.token, 5u);
}

TEST_F(ParkingLot, HandsTheTokenToEveryThreadItWakes) {
  park_threads(&key_, 0, 3);
  EXPECT_EQ(unpark_all(&key_, 42), 3u);
  threads_.join();
  for (const auto& [name, result] : log_) {
    EXPECT_EQ(result.outcome, ParkOutcome::woken);
    EXPECT_EQ(result.token, 42u);
  }
}

TEST_F(ParkingLot, WakesInTheOrderOfArrival) {
  park_threads(&key_, 0, 6);
  EXPECT_EQ(drain(&key_), (std::vector<int>{0, 1, 2, 3, 4, 5}));
}

TEST_F(ParkingLot, WakesExactlyAsManyAsDecided) {
  park_threads(&key_, 0, 5);
  EXPECT_EQ(unpark(&key_, [](const QueueView&) noexcept { return UnparkDecision{2}; }), 2u);
  EXPECT_TRUE(eventually([&] { return log_size() == 2; }));
  EXPECT_EQ(waiters_at(&key_), 3u);
  EXPECT_FALSE(eventually([&] { return log_size() > 2; }, kShortDelay));
  EXPECT_EQ(unpark(&key_, [](const QueueView&) noexcept { return UnparkDecision{SIZE_MAX}; }), 3u);
}

// A thread that was woken and lost its race goes before everybody else.
TEST_F(ParkingLot, QueuesInFrontOnRequest) {
  park_threads(&key_, 0, 2);
  park_thread(&key_, 10, {.at_front = true});
  park_thread(&key_, 11, {.at_front = true});
  EXPECT_EQ(drain(&key_), (std::vector<int>{11, 10, 0, 1}));
}

TEST_F(ParkingLot, TellsDecideWhoIsFirstAndSinceWhen) {
  const std::int64_t before = detail::backend::monotonic_now();
  park_threads(&key_, 0, 2);
  const std::int64_t after = detail::backend::monotonic_now();
  unpark(&key_, [&](const QueueView& queue) noexcept -> UnparkDecision {
    EXPECT_EQ(queue.size, 2u);
    EXPECT_NE(queue.first, 0u);
    EXPECT_GE(queue.first_since, before);
    EXPECT_LE(queue.first_since, after);
    return {2};
  });
}

// A wait that continues an earlier one keeps its age, and with it the right to be served.
TEST_F(ParkingLot, CountsAContinuedWaitFromItsBeginning) {
  const std::int64_t since = detail::backend::monotonic_now() - 10 * kHandOverAfter;
  park_thread(&key_, 0, {.since = since});
  unpark(&key_, [&](const QueueView& queue) noexcept -> UnparkDecision {
    EXPECT_EQ(queue.first_since, since);
    EXPECT_TRUE(queue.first_overdue());
    return {1};
  });
}

// However old the first is: a long queue of sleepers would make each release a change of threads.
TEST_F(ParkingLot, IsInNoHurryToHandOverAgain) {
  const std::int64_t since = detail::backend::monotonic_now() - 10 * kHandOverAfter;
  park_thread(&key_, 0, {.since = since});
  park_thread(&key_, 1, {.since = since});
  const std::int64_t before = detail::backend::monotonic_now();
  unpark(&key_, [&](const QueueView&) noexcept -> UnparkDecision { return {1, 0, true}; });
  unpark(&key_, [&](const QueueView& queue) noexcept -> UnparkDecision {
    const bool overdue = queue.first_overdue();
    EXPECT_GE(queue.handed_over, before);
    EXPECT_EQ(queue.first_since, since);
    const bool is_soon = detail::backend::monotonic_now() - queue.handed_over <= kHandOverAfter;
    EXPECT_FALSE(is_soon && overdue);
    return {1};
  });
}

// From the wake until park() returns, and only for who was woken from the same queue.
TEST_F(ParkingLot, SaysWhetherOneThatWasWokenAloneIsComing) {
  const auto one_is_coming = [](const void* key) {
    bool seen = false;
    unpark(key, [&](const QueueView& queue) noexcept -> UnparkDecision {
      seen = queue.one_is_coming;
      return {0};
    });
    return seen;
  };
  const auto wake_alone = [&]() noexcept {
    unpark(&key_, [](const QueueView&) noexcept -> UnparkDecision { return {1, 0, false, true}; });
  };
  int other = 0;
  park_thread(&other, 1);
  bool before = true;
  bool meanwhile = false;
  bool elsewhere = true;
  const auto be_woken = [&]() noexcept {
    park_thread(&key_, 0);
    before = one_is_coming(&key_);
    wake_alone();
    meanwhile = one_is_coming(&key_);
    elsewhere = one_is_coming(&other);
  };
  EXPECT_EQ(park(&key_, kTestKind, kYes, be_woken, kIgnore).outcome, ParkOutcome::woken);
  EXPECT_FALSE(before);
  EXPECT_TRUE(meanwhile);
  EXPECT_FALSE(elsewhere);
  EXPECT_FALSE(one_is_coming(&key_));
  unpark_all(&key_);
  unpark_all(&other);
}

TEST_F(ParkingLot, NeverTimesOutEarly) {
  for (const std::int64_t delay : {1L, 1'000L, 100'000L, 5'000'000L}) {
    const Deadline deadline = Deadline::after(delay);
    EXPECT_EQ(park_simply(&key_, {.deadline = deadline}).outcome, ParkOutcome::timed_out);
    EXPECT_GE(detail::backend::monotonic_now(), deadline.nanoseconds());
  }
}

// A deadline that has passed still queues the thread, so that before_sleep (a condition's release) happens.
TEST_F(ParkingLot, RunsItsCallbacksAlsoWhenTheDeadlineHasPassed) {
  int before_sleep = 0;
  int leave = 0;
  const ParkResult result = park(
      &key_, kTestKind, kYes, [&]() noexcept { ++before_sleep; },
      [&](bool has_more, LeaveReason reason) noexcept {
        ++leave;
        EXPECT_FALSE(has_more);
        EXPECT_EQ(reason, LeaveReason::timeout);
      },
      {.deadline = Deadline::passed()});
  EXPECT_EQ(result.outcome, ParkOutcome::timed_out);
  EXPECT_EQ(before_sleep, 1);
  EXPECT_EQ(leave, 1);
}

// leave() learns whether the "someone waits" bit may be cleared: only the last to go may.
TEST_F(ParkingLot, TellsALeaverWhetherOthersRemain) {
  park_thread(&key_, 0);
  bool has_more = false;
  const auto leave = [&](bool more, LeaveReason) noexcept { has_more = more; };
  static_cast<void>(park(&key_, kTestKind, kYes, kNothing, leave, {.deadline = Deadline::after(1'000)}));
  EXPECT_TRUE(has_more);
  EXPECT_EQ(unpark_one(&key_), 1u);
  static_cast<void>(park(&key_, kTestKind, kYes, kNothing, leave, {.deadline = Deadline::after(1'000)}));
  EXPECT_FALSE(has_more);
}

// A thread that gave up is no longer in the queue, wherever in it it was.
TEST_F(ParkingLot, ForgetsAThreadThatTimedOut) {
  // Nobody may give up before all five are queued. On a machine that is busy the two get longer for it.
  std::size_t started = 0;
  const auto queue_five = [&](std::chrono::nanoseconds delay) {
    const ParkOptions soon{.deadline = Deadline::after(delay.count())};
    for (int name = 0; name < 5; ++name) {
      const ParkOptions options = name == 0 || name == 3 ? soon : ParkOptions{};
      threads_.add([this, name, options] { log(name, park_simply(&key_, options)); });
      ++started;
      EXPECT_TRUE(eventually([&] { return waiters_at(&key_) == started || log_size() != 0; }));
      if (log_size() != 0) return false;
    }
    return true;
  };
  std::chrono::nanoseconds delay = kSmallDelay;
  while (!queue_five(delay)) {
    delay *= 2;
    ASSERT_LT(delay, kLongDelay);
    ASSERT_TRUE(eventually([&] {
      unpark_all(&key_);
      return log_size() == started;
    }));
    log_.clear();
    started = 0;
  }
  ASSERT_TRUE(eventually([&] { return waiters_at(&key_) == 3; }));
  ASSERT_TRUE(eventually([&] { return log_size() == 2; }));
  drained_ = 2;
  drain(&key_);
  const std::vector<int> order = names();
  EXPECT_EQ(std::vector<int>(order.begin() + 2, order.end()), (std::vector<int>{1, 2, 4}));
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(log_[i].second.outcome, ParkOutcome::timed_out);
}

bool agree() noexcept { return true; }
void release_nothing() noexcept {}
void note_nothing(bool, LeaveReason) noexcept {}

// Callbacks may be plain functions, and pointers to them, as well as objects.
TEST_F(ParkingLot, TakesPlainFunctions) {
  const ParkOptions passed{.deadline = Deadline::passed()};
  EXPECT_EQ(park(&key_, kTestKind, agree, release_nothing, note_nothing, passed).outcome, ParkOutcome::timed_out);
  EXPECT_EQ(park(&key_, kTestKind, &agree, &release_nothing, &note_nothing, passed).outcome, ParkOutcome::timed_out);
}

// Either the wake or the timeout wins, and both sides agree on which: wakes are neither lost nor doubled.
TEST_F(ParkingLot, AgreesOnWhoWinsATimeoutAgainstAnUnpark) {
  std::atomic<int> woken{0};
  std::atomic<bool> done{false};
  std::atomic<std::size_t> unparked{0};
  Bunch waker;
  waker.add([&] {
    while (!done) {
      const std::size_t count = unpark_one(&key_);
      unparked += count;
      if (count == 0) std::this_thread::yield();
    }
  });
  {
    Bunch sleepers(3, [&](int index) {
      for (int i = 0; i < rounds(4'000); ++i) {
        const ParkResult result =
            park_simply(&key_, {.deadline = Deadline::after((i * 37 + index * 911) % 20'000 + 1)});
        if (result.outcome == ParkOutcome::woken) ++woken;
      }
    });
  }
  done = true;
  waker.join();
  EXPECT_EQ(static_cast<std::size_t>(woken.load()), unparked.load());
}

// Threads that wait at addresses of their own do not disturb each other, though their addresses share a bucket.
TEST_F(ParkingLot, KeepsManyAddressesInOneBucketApart) {
  constexpr std::size_t kKeys = 6;
  std::vector<const void*> keys;
  const auto& bucket = parking::bucket_of(&key_);
  for (std::uintptr_t address = 0x10000; keys.size() < kKeys; address += 4) {
    if (&parking::bucket_of(reinterpret_cast<const void*>(address)) == &bucket) {
      keys.push_back(reinterpret_cast<const void*>(address));
    }
  }
  for (int turn = 0; turn < 2; ++turn) {
    for (std::size_t i = 0; i < kKeys; ++i) park_thread(keys[i], static_cast<int>(i) + 10 * turn);
  }
  // Out of order, so that queues are taken from every place in the chain.
  for (const std::size_t i : {2u, 0u, 5u, 3u, 1u, 4u}) {
    const std::size_t before = log_size();
    EXPECT_EQ(unpark_all(keys[i]), 2u);
    ASSERT_TRUE(eventually([&] { return log_size() == before + 2; }));
    const std::vector<int> order = names();
    EXPECT_EQ(order[before] % 10, static_cast<int>(i));
    EXPECT_EQ(order[before + 1] % 10, static_cast<int>(i));
  }
}

// A crowd at one address: everybody is counted, served in order, and gone afterwards.
TEST_F(ParkingLot, HoldsAThousandThreadsOnOneKey) {
  const int crowd = sizeof(void*) == 4 ? 200 : rounds(1'000);  // the stacks must fit the address space
  for (int i = 0; i < crowd; ++i) {
    threads_.add([this, i] { log(i, park_simply(&key_)); });
  }
  ASSERT_TRUE(eventually([&] { return waiters_at(&key_) == static_cast<std::size_t>(crowd); }));
  EXPECT_EQ(unpark(&key_, [&](const QueueView& queue) noexcept { return UnparkDecision{queue.size / 2}; }),
            static_cast<std::size_t>(crowd / 2));
  EXPECT_TRUE(eventually([&] { return log_size() == static_cast<std::size_t>(crowd / 2); }));
  EXPECT_EQ(unpark_all(&key_), static_cast<std::size_t>(crowd - crowd / 2));
  threads_.join();
  EXPECT_EQ(log_.size(), static_cast<std::size_t>(crowd));
}

// The memory behind the address is never read: the woken thread may free it at once.
TEST_F(ParkingLot, NeverTouchesTheMemoryBehindAnAddress) {
  for (int i = 0; i < rounds(2'000); ++i) {
    auto key = std::make_unique<int>(0);
    Bunch sleeper;
    const int* address = key.get();
    sleeper.add([&key, address] {
      if (park_simply(address).outcome == ParkOutcome::woken) key.reset();
    });
    while (unpark_one(address) == 0) std::this_thread::yield();
  }
}

std::atomic<int> before_block_calls{0};
std::atomic<int> begins{0};
std::atomic<int> ends{0};
const WaitKind* traced_kind = nullptr;

// The slots of the rooms above run around each wait.
TEST_F(ParkingLot, CallsTheSlotsAroundAWait) {
  base::hooks.before_block.store([]() noexcept { ++before_block_calls; }, std::memory_order_release);
  base::hooks.block_begins.store(
      [](const WaitKind& kind) noexcept {
        ++begins;
        traced_kind = &kind;
      },
      std::memory_order_release);
  base::hooks.block_ends.store([](const WaitKind&) noexcept { ++ends; }, std::memory_order_release);
  const ParkResult result = park(
      &key_, kTestKind, kYes,
      [&]() noexcept {
        EXPECT_EQ(begins, 1);
        EXPECT_EQ(ends, 0);
        unpark_one(&key_);
      },
      kIgnore);
  base::hooks.before_block.store(nullptr, std::memory_order_release);
  base::hooks.block_begins.store(nullptr, std::memory_order_release);
  base::hooks.block_ends.store(nullptr, std::memory_order_release);
  EXPECT_EQ(result.outcome, ParkOutcome::woken);
  EXPECT_EQ(before_block_calls, 1);
  EXPECT_EQ(begins, 1);
  EXPECT_EQ(ends, 1);
  EXPECT_EQ(traced_kind, &kTestKind);
}

// A forked child has one thread, so nobody waits in it, whoever waited or held a bucket at that moment.
TEST_F(ParkingLot, IsEmptyInAForkedChild) {
  park_threads(&key_, 0, 3);
  expect_child(exited(0), "", [&] {
    EXPECT_EQ(waiters_at(&key_), 0u);
    EXPECT_EQ(unpark_all(&key_), 0u);
    EXPECT_EQ(park_simply(&key_, {.deadline = Deadline::after(1'000)}).outcome, ParkOutcome::timed_out);
  });
  EXPECT_EQ(waiters_at(&key_), 3u);
  EXPECT_EQ(unpark_all(&key_), 3u);
}

}  // namespace
