// SPDX-License-Identifier: MIT
//
// The wheel against a sorted map, with random deadlines at every distance.
#include "timer/timer_wheel.hpp"

#include <map>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace {

using threading::timer::TimerList;
using threading::timer::TimerState;
using threading::timer::TimerWheel;

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
    timer->deadline.store(deadline, std::memory_order_relaxed);
    timer->stage = TimerState::Stage::pending;
    wheel_.insert(*timer, now_);
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
    const std::int64_t targets[] = {next, std::max(now_, next - 1), expected_.begin()->first,
                                    std::max(now_, expected_.rbegin()->first / 2 + now_ / 2)};
    now_ = targets[random_() % 4];
    TimerList due;
    wheel_.take_due(now_, due);
    std::size_t count = 0;
    while (TimerState* const timer = due.pop_front()) {
      ++count;
      ASSERT_EQ(timer->stage, TimerState::Stage::due);
      ASSERT_LE(timer->deadline.load(std::memory_order_relaxed), now_);
    }
    const auto end = expected_.upper_bound(now_);
    ASSERT_EQ(count, static_cast<std::size_t>(std::distance(expected_.begin(), end)));
    expected_.erase(expected_.begin(), end);
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
    timers.back()->deadline.store(5'000'000, std::memory_order_relaxed);
    wheel.insert(*timers.back(), 1000 + i);
  }
  TimerList due;
  wheel.take_due(4'999'999, due);
  EXPECT_TRUE(due.is_empty());
  wheel.take_due(5'000'000, due);
  for (const auto& timer : timers) EXPECT_EQ(due.pop_front(), timer.get());
}

}  // namespace
