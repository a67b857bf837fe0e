// SPDX-License-Identifier: MIT
//
// Threads that wait at a barrier, and what became of them.
#pragma once

#include <atomic>
#include <mutex>
#include <vector>

#include <threading/barrier.hpp>

#include "support/lot.hpp"
#include "support/support.hpp"

namespace barrier_test {

using namespace support;
using namespace threading;

// Outcomes of a wait other than its index.
inline constexpr int kBroken = -1;
inline constexpr int kStillInside = -2;

// Runs `wait`, which must throw exactly BrokenBarrierError, whose message is empty as in Python.
template <class Wait>
void expect_broken(Wait wait, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  expect_error<BrokenBarrierError>("", wait, file, line);
}

class BarrierTest : public testing::Test {
 protected:
  // A thread that waits. Returns when it is counted.
  template <class... Args>
  void arrive(Barrier& barrier, Args... args) {
    const std::size_t before = barrier.n_waiting();
    start(barrier, args...);
    ASSERT_TRUE(eventually([&] { return barrier.n_waiting() == before + 1; }));
  }
  // The same without waiting for anything.
  template <class... Args>
  void start(Barrier& barrier, Args... args) {
    std::size_t number = 0;
    {
      const std::scoped_lock hold(mutex_);
      number = outcomes_.size();
      outcomes_.push_back(kStillInside);
    }
    threads_.add([this, &barrier, number, args...] {
      int outcome = kBroken;
      try {
        outcome = static_cast<int>(barrier.wait(args...));
      } catch (const BrokenBarrierError&) {
      }
      const std::scoped_lock hold(mutex_);
      outcomes_[number] = outcome;
    });
  }
  std::vector<int> outcomes() {
    const std::scoped_lock hold(mutex_);
    return outcomes_;
  }

  // All parties pass, with all indices.
  void expect_usable(Barrier& barrier) {
    std::atomic<std::size_t> sum{0};
    {
      Bunch bunch(static_cast<int>(barrier.parties()), [&] { sum += barrier.wait(); });
    }
    EXPECT_EQ(sum, barrier.parties() * (barrier.parties() - 1) / 2);
    EXPECT_FALSE(barrier.broken());
  }

  std::mutex mutex_;  // guards outcomes_
  std::vector<int> outcomes_;
  Bunch threads_;
};

}  // namespace barrier_test
