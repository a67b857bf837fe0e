// SPDX-License-Identifier: MIT
//
// The clock, and the deadlines that are counted on it.
#include <chrono>
#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

#include <threading/detail/backend.hpp>
#include <threading/detail/deadline.hpp>
#include <threading/timeout.hpp>

namespace {

using namespace std::chrono_literals;
using threading::Deadline;
using threading::forever;
using threading::no_wait;
using threading::Timeout;
using threading::detail::backend::monotonic_now;

std::int64_t steady_now() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Users compare our deadlines with steady_clock's time points, so both must read the same clock.
TEST(Clock, IsTheOneOfSteadyClock) {
  const std::int64_t before = steady_now();
  const std::int64_t ours = monotonic_now();
  const std::int64_t after = steady_now();
  EXPECT_LE(before, ours);
  EXPECT_LE(ours, after);
}

TEST(Clock, NeverGoesBack) {
  std::int64_t last = monotonic_now();
  for (int i = 0; i < 100'000; ++i) {
    const std::int64_t now = monotonic_now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(Deadline, OfNothingOrLessHasPassed) {
  EXPECT_EQ(Deadline::after(0), Deadline::passed());
  EXPECT_EQ(Deadline::after(-1), Deadline::passed());
  EXPECT_EQ(Deadline::after(std::numeric_limits<std::int64_t>::min()), Deadline::passed());
  EXPECT_TRUE(Deadline::passed().expired());
}

// The sum of now and a huge duration is "never", not a moment long ago.
TEST(Deadline, SaturatesToNever) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  EXPECT_TRUE(Deadline::after(kMax).is_never());
  EXPECT_TRUE(Deadline::after(kMax - 1).is_never());
  EXPECT_FALSE(Deadline::never().expired());
  EXPECT_FALSE(Deadline::at(kMax - 1).expired());
}

TEST(Deadline, ExpiresAtItsMomentNotBefore) {
  const Deadline deadline = Deadline::after(2'000'000);
  while (!deadline.expired()) {
  }
  EXPECT_GE(monotonic_now(), deadline.nanoseconds());
  EXPECT_TRUE(Deadline::at(1).expired());
  EXPECT_TRUE(Deadline::at(-1).expired());
}

// A relative timeout counts from each call that it is given to; one made from a time point does not move.
TEST(TimeoutDeadline, IsCountedFromTheCallOrAbsolute) {
  const Timeout relative(1h);
  const std::int64_t first = relative.deadline().nanoseconds();
  EXPECT_GE(first, monotonic_now() + 3'599'000'000'000);
  while (monotonic_now() <= first - 3'600'000'000'000) {
  }
  EXPECT_GT(relative.deadline().nanoseconds(), first);

  const auto point = std::chrono::steady_clock::now() + 1h;
  const Timeout absolute(point);
  EXPECT_EQ(absolute.deadline().nanoseconds(), std::chrono::nanoseconds(point.time_since_epoch()).count());
  EXPECT_EQ(absolute.deadline(), absolute.deadline());
}

TEST(TimeoutDeadline, SaturatesAndPasses) {
  EXPECT_TRUE(forever.deadline().is_never());
  EXPECT_TRUE(Timeout(std::chrono::hours::max()).deadline().is_never());
  EXPECT_TRUE(Timeout(std::chrono::steady_clock::time_point::max()).deadline().is_never());
  EXPECT_FALSE(Timeout(threading::TIMEOUT_MAX).deadline().expired());
  EXPECT_FALSE(Timeout(threading::TIMEOUT_MAX.count()).deadline().expired());
  EXPECT_EQ(no_wait.deadline(), Deadline::passed());
  EXPECT_EQ(Timeout(-1.0).deadline(), Deadline::passed());
  EXPECT_EQ(Timeout(-1h).deadline(), Deadline::passed());
  EXPECT_EQ(Timeout(std::chrono::hours::min()).deadline(), Deadline::passed());
  EXPECT_TRUE(Timeout(std::chrono::steady_clock::time_point::min()).deadline().expired());
}

TEST(Cpu, CountIsAtLeastOneAndStable) {
  const int count = threading::detail::backend::cpu_count();
  EXPECT_GE(count, 1);
  EXPECT_EQ(threading::detail::backend::cpu_count(), count);
}

TEST(Cpu, CurrentIsUnknownOrANumber) { EXPECT_GE(threading::detail::backend::current_cpu(), -1); }

}  // namespace
