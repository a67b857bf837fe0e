// SPDX-License-Identifier: MIT
//
// The doorbell, rung in bursts of all lengths: now every ring writes, now it is a mere look. Each burst ends with a
// ring that matters, as its thread waits for the answer. A ring that is lost shows as a hang.
#include <threading/event.hpp>

#include <algorithm>
#include <array>

#include "stress/stress.hpp"

namespace {

using namespace stress;

class EventStress : public testing::Test {
 protected:
  struct alignas(64) Side {
    std::atomic<int> work{0};
    std::atomic<int> seen{0};
    int bursts = 0;
  };
  static constexpr int kRingers = 2;

  // Rings until the time is up, in bursts of random lengths.
  void ring(int number, std::uint32_t shortest, std::uint32_t longest) {
    Side& side = sides_[static_cast<std::size_t>(number)];
    Jitter jitter(number);
    int work = 0;
    for (const Budget budget; budget.left() || side.bursts < 100; ++side.bursts) {
      for (std::uint32_t left = shortest + jitter.below(longest - shortest); left != 0; --left) {
        side.work.store(++work, std::memory_order_relaxed);
        bell_.set();
      }
      while (side.seen.load(std::memory_order_relaxed) != work) std::this_thread::yield();
    }
    ++ended_;
    bell_.set();
  }

  // Answers until all that ring have ended.
  void answer(int seed) {
    Jitter jitter(seed);
    while (ended_ != kRingers) {
      bell_.wait();
      bell_.clear();
      for (Side& side : sides_) {
        const int work = side.work.load(std::memory_order_relaxed);
        int seen = side.seen.load(std::memory_order_relaxed);
        while (seen < work && !side.seen.compare_exchange_weak(seen, work, std::memory_order_relaxed)) {
        }
      }
      jitter();
    }
    bell_.set();  // for another that answers
  }

  void run(int answering, std::uint32_t shortest, std::uint32_t longest) {
    Bunch threads;
    for (int i = 0; i < kRingers; ++i) threads.add([=, this] { ring(i, shortest, longest); });
    for (int i = 0; i < answering; ++i) threads.add([=, this] { answer(kRingers + i); });
    threads.join();
    for (const Side& side : sides_) {
      EXPECT_EQ(side.work, side.seen);
      EXPECT_GE(side.bursts, 100);
    }
    record("bursts", sides_[0].bursts + sides_[1].bursts);
  }

  Event bell_;
  std::array<Side, kRingers> sides_;
  std::atomic<int> ended_{0};
};

TEST_F(EventStress, LosesNoRingOfShortBursts) { run(1, 1, 5); }
TEST_F(EventStress, LosesNoRingOfLongBursts) { run(1, 1, 20'000); }
TEST_F(EventStress, LosesNoRingThatAnotherAnswers) { run(2, 1, 20'000); }
// Longer by a little than it takes to become quiet, so that fences come soon after.
TEST_F(EventStress, LosesNoRingWhereItIsQuietForMoments) { run(2, 4'000, 5'000); }

}  // namespace
