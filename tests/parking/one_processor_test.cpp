// SPDX-License-Identifier: MIT
//
// Nobody spins where a process may use one processor only: whoever must act cannot while somebody looks.
#include <sched.h>

#include <gtest/gtest.h>

#include <threading/detail/backend.hpp>

#include "parking/spin_wait.hpp"

namespace {

using threading::Deadline;
using threading::detail::backend::cpu_count;
using threading::parking::SpinHistory;

// Before all initialisers without a priority, hence before the library counts its processors.
[[gnu::constructor(101)]] void bind_to_one_processor() noexcept {
  cpu_set_t all;
  if (sched_getaffinity(0, sizeof all, &all) != 0) return;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &all)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    return;
  }
}

class OneProcessor : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(cpu_count(), 1); }

  SpinHistory history_;
};

TEST_F(OneProcessor, NobodySpins) {
  int looks = 0;
  EXPECT_FALSE(history_.spin([&]() noexcept { return ++looks, true; }));
  EXPECT_EQ(looks, 0);
}

TEST_F(OneProcessor, NobodySpinsInTheQueueEither) {
  int looks = 0;
  EXPECT_FALSE(history_.linger([&]() noexcept { return ++looks, true; }, Deadline::never()));
  EXPECT_EQ(looks, 0);
}

TEST_F(OneProcessor, WhoIsQueuedBehindAFewOffersIt) {
  int looks = 0;
  // The first offer does, unless the time for it has passed before it was made: under valgrind it may.
  for (int left = 100; left != 0 && looks == 0; --left) {
    history_.reset_after_fork();
    const bool is_done = history_.linger([&]() noexcept { return ++looks, true; }, Deadline::never(), 7);
    EXPECT_EQ(is_done, looks != 0);
  }
  EXPECT_EQ(looks, 1);
  EXPECT_FALSE(history_.linger([&]() noexcept { return ++looks, true; }, Deadline::never(), 8));
  EXPECT_EQ(looks, 1);
}

TEST_F(OneProcessor, NobodyContends) {
  int looks = 0;
  int tries = 0;
  for (const auto contender : {SpinHistory::Contender::arrived, SpinHistory::Contender::notified}) {
    EXPECT_FALSE(history_.contend([&]() noexcept { return ++looks, false; }, [&]() noexcept { return ++tries, true; },
                                  Deadline::never(), contender));
  }
  EXPECT_EQ(looks, 0);
  EXPECT_EQ(tries, 0);
}

}  // namespace
