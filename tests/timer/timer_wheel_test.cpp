// SPDX-License-Identifier: MIT
//
// The wheel against a sorted map, with random deadlines at every distance.
#include "timer/timer_wheel.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace {

using threading::timer::TimerList;
using threading::timer::TimerState;
using threading::timer::TimerWheel;

constexpr std::size_t kAll = SIZE_MAX;

class Model {
 public:
  explicit Model(unsigned seed) : random_(seed) {}

  void step() {
    switch (random_() % 4) {
      case 0:
      case 1: insert(); break;
      case 2: remove_any(); break;
      default: advance(); break;
    }
    // The bound is exact but for deadlines of removed timers, which can only make it earlier.
    ASSERT_EQ(wheel_.is_empty(), expected_.empty());
    if (!expected_.empty()) {
      ASSERT_LE(wheel_.next(), expected_.begin()->first);
    } else {
      ASSERT_EQ(wheel_.next(), INT64_MAX);
    }
  }

  void drain() {
    while (!expected_.empty()) advance();
    ASSERT_TRUE(wheel_.is_empty());
  }

 private:
  void insert() {
    // Any number of bits, so that every level is met.
    const std::uint64_t distance = 1 + (random_() >> (random_() % 63 + 1));
    if (distance > static_cast<std::uint64_t>(INT64_MAX - 1 - now_)) return;
    auto timer = std::make_unique<TimerState>();
    const std::int64_t deadline = now_ + static_cast<std::int64_t>(distance);
    timer->deadline = deadline;
    timer->stage = TimerState::Stage::pending;
    ASSERT_TRUE(wheel_.insert(*timer, now_));
    expected_.emplace(deadline, timer.get());
    owned_.push_back(std::move(timer));
  }

  void remove_any() {
    if (expected_.empty()) return;
    auto chosen = expected_.begin();
    std::advance(chosen, static_cast<std::ptrdiff_t>(random_() % expected_.size()));
    wheel_.remove(*chosen->second);
    expected_.erase(chosen);
  }

  void advance() {
    if (expected_.empty()) return;
    // To what the wheel says, just before it, or past it; never backwards.
    const std::int64_t next = std::max(now_, wheel_.next());
    const std::int64_t targets[] = {next, std::max(now_, next - 1), std::max(now_, expected_.begin()->first),
                                    std::max(now_, expected_.rbegin()->first / 2 + now_ / 2)};
    now_ = targets[random_() % 4];
    // All of them, or some, which leaves a slot half emptied.
    const std::size_t most = random_() % 2 == 0 ? kAll : random_() % 8;
    TimerList due;
    wheel_.take_due(now_, due, most);
    const bool all = wheel_.next() > now_;
    ASSERT_TRUE(all || most != kAll);
    while (TimerState* const timer = due.pop_front()) {
      ASSERT_EQ(timer->stage, TimerState::Stage::due);
      const std::int64_t deadline = timer->deadline;
      ASSERT_LE(deadline, now_);
      auto found = expected_.lower_bound(deadline);
      while (found->second != timer) ++found;
      expected_.erase(found);
    }
    ASSERT_TRUE(!all || expected_.empty() || expected_.begin()->first > now_);
  }

  std::mt19937_64 random_;
  std::int64_t now_ = 1'000'000'007;
  TimerWheel wheel_;
  std::multimap<std::int64_t, TimerState*> expected_;
  std::vector<std::unique_ptr<TimerState>> owned_;
};

TEST(TimerWheel, AgreesWithASortedMap) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    Model model(seed);
    for (int i = 0; i < 300; ++i) ASSERT_NO_FATAL_FAILURE(model.step()) << "seed " << seed << ", step " << i;
    ASSERT_NO_FATAL_FAILURE(model.drain()) << "seed " << seed;
  }
}

TEST(TimerWheel, TakesTimersWithEqualDeadlinesInTheOrderOfTheirInsertion) {
  TimerWheel wheel;
  std::vector<std::unique_ptr<TimerState>> timers;
  for (int i = 0; i < 100; ++i) {
    timers.push_back(std::make_unique<TimerState>());
    timers.back()->deadline = 5'000'000;
    ASSERT_TRUE(wheel.insert(*timers.back(), 1000 + i));
  }
  TimerList due;
  wheel.take_due(4'999'999, due, kAll);
  EXPECT_TRUE(due.is_empty());
  wheel.take_due(5'000'000, due, kAll);
  for (const auto& timer : timers) EXPECT_EQ(due.pop_front(), timer.get());
}

// Whoever is started while a slot is half emptied is behind those of the same deadline that were there before.
TEST(TimerWheel, KeepsThatOrderWhileASlotIsHalfEmptied) {
  TimerWheel wheel;
  std::vector<std::unique_ptr<TimerState>> timers;
  const auto add = [&](std::int64_t deadline, std::int64_t now) {
    timers.push_back(std::make_unique<TimerState>());
    timers.back()->deadline = deadline;
    ASSERT_TRUE(wheel.insert(*timers.back(), now));
  };
  constexpr std::int64_t kSlot = std::int64_t{1} << 30;
  add(kSlot + 1, 1);
  for (int i = 0; i < 10; ++i) add(kSlot + 5, 1);
  TimerList due;
  wheel.take_due(kSlot + 1, due, 4);
  EXPECT_FALSE(wheel.is_empty());
  add(kSlot + 5, kSlot + 1);
  EXPECT_EQ(due.pop_front(), timers.front().get());
  EXPECT_LE(wheel.next(), kSlot + 1);
  wheel.take_due(kSlot + 5, due, kAll);
  for (std::size_t i = 1; i != timers.size(); ++i) EXPECT_EQ(due.pop_front(), timers[i].get());
  EXPECT_TRUE(wheel.is_empty());
}

// A start that read the clock before the wheel was told a later time.
TEST(TimerWheel, TakesNoTimerThatIsDueByWhatItWasTold) {
  TimerWheel wheel;
  TimerState first;
  first.deadline = 2000;
  TimerState second;
  second.deadline = 2001;
  ASSERT_TRUE(wheel.insert(first, 1000));
  ASSERT_TRUE(wheel.insert(second, 1000));
  TimerList due;
  wheel.take_due(2000, due, kAll);
  TimerState late;
  late.deadline = 1999;
  EXPECT_FALSE(wheel.insert(late, 1500));
  wheel.remove(second);
  EXPECT_TRUE(wheel.is_empty());
}

}  // namespace
