// SPDX-License-Identifier: MIT
//
// Generations of a barrier with parties of very different speed.
#include <array>
#include <stop_token>

#include <threading/barrier.hpp>

#include "stress/stress.hpp"

namespace {

using namespace stress;

// Every party is in the same generation when it has passed, and the action of each ran once.
TEST(BarrierStress, KeepsItsPartiesInStep) {
  const Budget budget;
  constexpr int kParties = 5;
  std::int64_t generation = 0;  // written by the action only
  std::atomic<bool> done{false};
  Barrier barrier(kParties, [&] {
    ++generation;
    if (!budget.left()) done = true;
  });
  Bunch bunch(kParties, [&](int index) {
    Jitter jitter(index + 1);
    std::int64_t mine = 0;
    std::array<bool, kParties> seen{};
    while (!done) {
      if (jitter.below(1 + static_cast<std::uint32_t>(index)) != 0) jitter();
      seen[barrier.wait()] = true;
      ++mine;
      // Nobody can complete the next generation without this thread.
      ASSERT_EQ(generation, mine);
    }
  });
  bunch.join();
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(barrier.n_waiting(), 0u);
  record("generations", generation);
}

// More threads than parties, timeouts, stops, aborts and resets: each set passes or breaks as a whole.
TEST(BarrierStress, BreaksAndMendsAsAWhole) {
  const Budget budget;
  std::atomic<std::int64_t> passed{0};
  std::atomic<std::int64_t> broken{0};
  std::int64_t actions = 0;  // the action runs alone
  Barrier barrier(3, [&] { ++actions; });
  std::stop_source stopped;
  stopped.request_stop();
  std::atomic<bool> done{false};
  Bunch bunch(5, [&](int index) {
    Jitter jitter(index + 1);
    while (!done) {
      try {
        switch (jitter.below(8)) {
          case 0: barrier.wait(std::chrono::nanoseconds(jitter.below(30'000))); break;
          case 1: barrier.wait(forever, stopped.get_token()); break;
          default: barrier.wait();
        }
        ++passed;
      } catch (const BrokenBarrierError&) {
        ++broken;
        if (jitter.below(3) == 0) barrier.reset();
      }
      jitter();
    }
  });
  Jitter jitter(9);
  while (budget.left()) {
    jitter.below(4) == 0 ? barrier.abort() : barrier.reset();
    jitter();
    std::this_thread::sleep_for(std::chrono::microseconds(jitter.below(200)));
  }
  done = true;
  while (bunch.finished() != 5) {
    barrier.abort();
    std::this_thread::yield();
  }
  bunch.join();
  // Sets pass as a whole, except those whose action was overtaken by a reset or an abort.
  EXPECT_EQ(passed % 3, 0);
  EXPECT_LE(passed, 3 * actions);
  EXPECT_GT(passed, 0);
  EXPECT_GT(broken, 0);
  record("passed", passed.load());
  record("broken", broken.load());
}

}  // namespace
