// SPDX-License-Identifier: MIT
//
// The doorbell, rung in bursts of all lengths: now every ring writes, now it is a mere look. Each burst ends with a
// ring that matters, as its thread waits for the answer. A ring that is lost shows as a hang.

// In slower code each store is seen by others before the next load, fence or none.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O2")
#endif

#include <threading/event.hpp>

#include <algorithm>
#include <array>
#include <vector>

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

// A set() that only looks, and a clear() at the same moment: each thread has stored something before, and looks after
// it for what the other stored. One of them sees it. Stores of the one that sets are kept back by others to lines that
// are in no cache, so that they come late where nobody fences.
TEST(QuietEventStress, OfASetAndAClearOneSeesTheOther) {
  struct alignas(64) Line {
    std::atomic<int> value{0};
  };
  constexpr std::uint32_t kLines = 1u << 20;  // 64 MiB
  constexpr int kKeptBack = 16;
  constexpr int kUntilQuiet = 4'098;
  std::vector<Line> cold(kLines);
  Line before_set;
  Line before_clear;
  Line go;
  Line seen_after_set;
  Line done;
  Event event;
  Bunch other;
  other.add([&] {
    Jitter random(1);
    for (int round = 1;; ++round) {
      std::array<std::uint32_t, kKeptBack> lines;
      for (std::uint32_t& line : lines) line = random.below(kLines);
      int told = 0;
      for (int looks = 1; (told = go.value.load(std::memory_order_acquire)) >= 0 && told != round; ++looks) {
        looks % 1'000 != 0 ? detail::backend::cpu_relax() : detail::backend::yield();
      }
      if (told < 0) return;
      for (std::uint32_t pauses = random.below(8); pauses != 0; --pauses) detail::backend::cpu_relax();
      for (const std::uint32_t line : lines) cold[line].value.store(round, std::memory_order_relaxed);
      before_set.value.store(round, std::memory_order_relaxed);
      event.set();
      seen_after_set.value.store(before_clear.value.load(std::memory_order_relaxed), std::memory_order_relaxed);
      done.value.store(round, std::memory_order_release);
    }
  });
  Jitter random(2);
  int rounds = 0;
  int missed = 0;
  for (const Budget budget; budget.left() || rounds < 100;) {
    ++rounds;
    for (int left = kUntilQuiet; left != 0; --left) event.set();
    go.value.store(rounds, std::memory_order_release);
    for (std::uint32_t pauses = random.below(32); pauses != 0; --pauses) detail::backend::cpu_relax();
    before_clear.value.store(rounds, std::memory_order_relaxed);
    event.clear();
    const bool sees = before_set.value.load(std::memory_order_relaxed) == rounds;
    while (done.value.load(std::memory_order_acquire) != rounds) std::this_thread::yield();
    if (!sees && seen_after_set.value.load(std::memory_order_relaxed) != rounds) ++missed;
  }
  go.value.store(-1, std::memory_order_release);
  other.join();
  EXPECT_EQ(missed, 0) << "of " << rounds;
  record("rounds", rounds);
}

}  // namespace
