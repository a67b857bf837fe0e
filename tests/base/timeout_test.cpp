// SPDX-License-Identifier: MIT
//
// Timeout: what can become one, what cannot, and which bound it stands for. How calls treat them is tested with the
// primitives.
#include <threading/timeout.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <ratio>
#include <string>
#include <type_traits>

#include <gtest/gtest.h>

#include <threading/errors.hpp>

#include "support/errors.hpp"

namespace {

using namespace std::chrono_literals;
using support::expect_error;
using threading::forever;
using threading::no_wait;
using threading::OverflowError;
using threading::Timeout;
using threading::ValueError;
using Kind = Timeout::Kind;
using Nanoseconds = std::chrono::duration<std::int64_t, std::nano>;
namespace detail = threading::detail;

constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
constexpr auto kMin = std::numeric_limits<std::int64_t>::min();

std::int64_t ns(Timeout timeout) { return timeout.nanoseconds(); }

// Implicit from durations, steady time points and floating seconds; not from integers, booleans, or a clock that jumps.
static_assert(std::is_convertible_v<std::chrono::hours, Timeout>);
static_assert(std::is_convertible_v<std::chrono::duration<float>, Timeout>);
static_assert(std::is_convertible_v<std::chrono::steady_clock::time_point, Timeout>);
static_assert(std::is_convertible_v<double, Timeout> && std::is_convertible_v<float, Timeout> &&
              std::is_convertible_v<long double, Timeout>);
static_assert(!std::is_convertible_v<int, Timeout> && !std::is_constructible_v<Timeout, int>);
static_assert(!std::is_constructible_v<Timeout, unsigned long> && !std::is_constructible_v<Timeout, char>);
static_assert(!std::is_constructible_v<Timeout, bool> && !std::is_constructible_v<Timeout, std::nullptr_t>);
static_assert(!std::is_constructible_v<Timeout, std::chrono::system_clock::time_point>);
static_assert(!std::is_default_constructible_v<Timeout>);
static_assert(std::is_trivially_copyable_v<Timeout>);
static_assert(forever.is_forever() && !no_wait.is_forever());
static_assert(Timeout(5ms).nanoseconds() == 5'000'000);  // durations convert at compile time

// The same number as CPython's threading.TIMEOUT_MAX on this platform.
static_assert(threading::TIMEOUT_MAX.count() == 9223372036.0);

TEST(Timeout, TellsWhatItWasMadeFrom) {
  EXPECT_EQ(Timeout(1s).kind(), Kind::relative);
  EXPECT_EQ(Timeout(1.0).kind(), Kind::number);
  EXPECT_EQ(Timeout(std::chrono::steady_clock::now()).kind(), Kind::absolute);
  EXPECT_EQ(forever.kind(), Kind::never);
}

TEST(Timeout, ConvertsDurationsOfEveryUnit) {
  EXPECT_EQ(ns(1h), 3'600'000'000'000);
  EXPECT_EQ(ns(7ns), 7);
  EXPECT_EQ(ns(-3us), -3'000);
  EXPECT_EQ(ns(std::chrono::duration<int, std::ratio<1, 60>>(30)), 500'000'000);
  EXPECT_EQ(ns(std::chrono::duration<float>(0.5F)), 500'000'000);
}

// A wait is never shorter than asked for, so fractions of a nanosecond are rounded up.
TEST(Timeout, RoundsDurationsUp) {
  using Picoseconds = std::chrono::duration<std::int64_t, std::pico>;
  EXPECT_EQ(ns(Picoseconds(1)), 1);
  EXPECT_EQ(ns(Picoseconds(1000)), 1);
  EXPECT_EQ(ns(Picoseconds(1001)), 2);
  EXPECT_EQ(ns(std::chrono::duration<double, std::nano>(0.25)), 1);
  EXPECT_EQ(ns(std::chrono::duration<double, std::nano>(2.0)), 2);
}

// Durations too long or too short for 64-bit nanoseconds saturate instead of wrapping round.
TEST(Timeout, SaturatesDurations) {
  EXPECT_EQ(ns(std::chrono::hours::max()), kMax);
  EXPECT_EQ(ns(std::chrono::hours::min()), kMin);
  EXPECT_EQ(ns(std::chrono::nanoseconds::max()), kMax);
  EXPECT_EQ(ns(std::chrono::nanoseconds::min()), kMin);
  EXPECT_EQ(ns(std::chrono::duration<std::uint64_t, std::nano>::max()), kMax);
  EXPECT_EQ(ns(std::chrono::duration<double>::max()), kMax);
  EXPECT_EQ(ns(std::chrono::duration<double>::min()), kMin);
  EXPECT_EQ(ns(std::chrono::duration<double>(std::numeric_limits<double>::infinity())), kMax);
  EXPECT_EQ(ns(std::chrono::duration<float, std::ratio<86400>>(-std::numeric_limits<float>::infinity())), kMin);
  EXPECT_EQ(ns(Nanoseconds(kMax - 1)), kMax - 1);
  EXPECT_EQ(ns(Nanoseconds(kMin + 1)), kMin + 1);
  EXPECT_EQ(ns(std::chrono::seconds(9'223'372'036)), 9'223'372'036'000'000'000);
  EXPECT_EQ(ns(std::chrono::seconds(9'223'372'037)), kMax);
  EXPECT_EQ(ns(std::chrono::seconds(-9'223'372'036)), -9'223'372'036'000'000'000);
  EXPECT_EQ(ns(std::chrono::seconds(-9'223'372'037)), kMin);
  EXPECT_EQ(ns(std::chrono::duration<std::uint64_t, std::micro>(9'223'372'036'854'775)), 9'223'372'036'854'775'000);
  EXPECT_EQ(ns(std::chrono::duration<std::uint64_t, std::micro>(9'223'372'036'854'776)), kMax);
  EXPECT_EQ(ns(std::chrono::duration<unsigned char>(255)), 255'000'000'000);
  EXPECT_EQ(ns(std::chrono::duration<bool>(true)), 1'000'000'000);
}

// The tick of a clock may be no whole number of nanoseconds: what is multiplied on the way must not wrap round either.
TEST(Timeout, ConvertsLongDurationsOfOddUnits) {
  using Thirds = std::chrono::duration<std::int64_t, std::ratio<1, 3>>;
  using Fields = std::chrono::duration<std::int64_t, std::ratio<1001, 60'000>>;
  static_assert(Timeout(Thirds(10'000'000'001)).nanoseconds() == 3'333'333'333'666'666'667);
  EXPECT_EQ(ns(Thirds(10'000'000'001)), 3'333'333'333'666'666'667);
  EXPECT_EQ(ns(Thirds(-10'000'000'001)), -3'333'333'333'666'666'666);
  EXPECT_EQ(ns(Fields(1)), 16'683'334);
  EXPECT_EQ(ns(Fields(500'000'000'001)), 8'341'666'666'683'350'000);
  EXPECT_EQ(ns(std::chrono::duration<std::uint64_t, std::ratio<1, 3>>(10'000'000'001)), 3'333'333'333'666'666'667);
  EXPECT_EQ(ns(Thirds::max()), kMax);
  EXPECT_EQ(ns(Thirds::min()), kMin);
}

TEST(Timeout, RejectsADurationThatIsNotANumber) {
  expect_error<ValueError>("Invalid value NaN (not a number)", [] {
    static_cast<void>(Timeout(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())));
  });
  expect_error<ValueError>("Invalid value NaN (not a number)", [] {
    static_cast<void>(Timeout(std::chrono::duration<float, std::milli>(std::numeric_limits<float>::quiet_NaN())));
  });
}

TEST(Timeout, ConvertsAndSaturatesSteadyTimePoints) {
  using Clock = std::chrono::steady_clock;
  EXPECT_EQ(ns(Clock::time_point(123ns)), 123);
  EXPECT_EQ(ns(std::chrono::time_point<Clock, std::chrono::seconds>(2s)), 2'000'000'000);
  EXPECT_EQ(ns(Clock::time_point::max()), kMax);
  EXPECT_EQ(ns(Clock::time_point::min()), kMin);
  EXPECT_EQ(ns(std::chrono::time_point<Clock, std::chrono::hours>::max()), kMax);
}

TEST(Timeout, ConvertsNumbersAsSecondsRoundedUp) {
  EXPECT_EQ(ns(0.0), 0);
  EXPECT_EQ(ns(1.5), 1'500'000'000);
  EXPECT_EQ(ns(0.5F), 500'000'000);
  EXPECT_EQ(ns(2.0L), 2'000'000'000);
  EXPECT_EQ(ns(1e-12), 1);
  EXPECT_EQ(ns(std::numeric_limits<double>::denorm_min()), 1);
}

TEST(Timeout, RejectsANumberThatIsNotANumber) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  expect_error<ValueError>("Invalid value NaN (not a number)", [] { static_cast<void>(Timeout(kNaN)); });
  expect_error<ValueError>("Invalid value NaN (not a number)", [] { static_cast<void>(Timeout(-kNaN)); });
}

// TIMEOUT_MAX itself is taken; the next number above it is not.
TEST(Timeout, RejectsNumbersAboveTimeoutMax) {
  const double max = threading::TIMEOUT_MAX.count();
  EXPECT_EQ(ns(max), 9'223'372'036'000'000'000);
  for (const double bad : {std::nextafter(max, max * 2), 1e100, std::numeric_limits<double>::infinity()}) {
    expect_error<OverflowError>("timestamp out of range for C PyTime_t", [&] { static_cast<void>(Timeout(bad)); });
  }
  expect_error<OverflowError>("timestamp out of range for C PyTime_t",
                              [] { static_cast<void>(Timeout(std::numeric_limits<long double>::max())); });
}

// Numbers below zero are for the call to judge, so every one of them arrives below zero, and none but -1.0 as -1.0.
TEST(Timeout, KeepsNegativeNumbersNegative) {
  EXPECT_EQ(ns(-1.0), detail::kMinusOneSecond);
  for (const double seconds : {-1e-300, -1e-12, -0.5, -0.9999999999, -1.0000000001, -2.0, -1e10, -1e300,
                               -std::numeric_limits<double>::infinity()}) {
    EXPECT_LT(ns(seconds), 0) << seconds;
    EXPECT_NE(ns(seconds), detail::kMinusOneSecond) << seconds;
  }
  EXPECT_EQ(ns(-0.0), 0);
}

// For who has read the clock already: a relative one counts from there, another means what it always means.
TEST(Timeout, StartsAtTheMomentGiven) {
  constexpr std::int64_t kNow = 1'000'000'000'000;
  EXPECT_EQ(Timeout(5ns).deadline(kNow).nanoseconds(), kNow + 5);
  EXPECT_EQ(Timeout(1.5).deadline(kNow).nanoseconds(), kNow + 1'500'000'000);
  EXPECT_EQ(Timeout(std::chrono::steady_clock::time_point(7ns)).deadline(kNow).nanoseconds(), 7);
  EXPECT_EQ(no_wait.deadline(kNow), threading::Deadline::passed());
  EXPECT_EQ(Timeout(-1s).deadline(kNow), threading::Deadline::passed());
  EXPECT_TRUE(forever.deadline(kNow).is_never());
  EXPECT_TRUE(Timeout(Nanoseconds(kMax)).deadline(kNow).is_never());
}

// The rule of Lock and RLock.
TEST(LockTimeout, TakesMinusOneForForeverAndNoOtherNegativeNumber) {
  EXPECT_TRUE(detail::lock_timeout(-1.0).is_forever());
  EXPECT_FALSE(detail::lock_timeout(0.0).is_forever());
  for (const double bad : {-2.0, -100.0, -0.5, -1e-9, -std::numeric_limits<double>::infinity()}) {
    expect_error<ValueError>("timeout value must be a non-negative number",
                             [&] { static_cast<void>(detail::lock_timeout(bad)); });
  }
}

// A duration in the past has expired; only numbers are judged.
TEST(LockTimeout, TakesNegativeDurationsAsPassed) {
  EXPECT_EQ(detail::lock_timeout(-1s).nanoseconds(), -1'000'000'000);
  EXPECT_FALSE(detail::lock_timeout(-1s).is_forever());
}

TEST(LockTimeout, AllowsWithBlockingFalseOnlyWhatMeansForever) {
  EXPECT_EQ(detail::lock_timeout(false, forever).nanoseconds(), 0);
  EXPECT_FALSE(detail::lock_timeout(false, forever).is_forever());
  EXPECT_FALSE(detail::lock_timeout(false, -1.0).is_forever());
  EXPECT_TRUE(detail::lock_timeout(true, forever).is_forever());
  for (const Timeout bad : {Timeout(1.0), Timeout(0.0), Timeout(-5.0), Timeout(0s), Timeout(-1s), no_wait}) {
    expect_error<ValueError>("can't specify a timeout for a non-blocking call",
                             [&] { static_cast<void>(detail::lock_timeout(false, bad)); });
  }
}

// A clock whose now() is whatever a test says.
struct TestClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::time_point<TestClock>;
  static inline time_point current{};
  static time_point now() { return current; }
};

// A point of another clock becomes the time that is left on that clock now.
TEST(TimeoutUntil, CountsFromTheOtherClocksNow) {
  TestClock::current = TestClock::time_point(100s);
  const Timeout timeout = detail::timeout_until(TestClock::time_point(103s));
  EXPECT_EQ(timeout.kind(), Kind::relative);
  EXPECT_EQ(timeout.nanoseconds(), 3'000'000'000);
  EXPECT_EQ(ns(detail::timeout_until(TestClock::time_point(99s))), 0);
}

// Points whose distance from now fits no type have passed or never come; they do not wrap round.
TEST(TimeoutUntil, SaturatesPointsOfOtherClocks) {
  using Days = std::chrono::time_point<TestClock, std::chrono::duration<std::int64_t, std::ratio<86400>>>;
  TestClock::current = TestClock::time_point(100s);
  EXPECT_EQ(ns(detail::timeout_until(TestClock::time_point::min())), 0);
  EXPECT_EQ(ns(detail::timeout_until(Days::min())), 0);
  EXPECT_GT(ns(detail::timeout_until(TestClock::time_point::max())), kMax / 2);
  EXPECT_GT(ns(detail::timeout_until(Days::max())), kMax / 2);
  TestClock::current = TestClock::time_point(-100s);
  EXPECT_TRUE(detail::timeout_until(TestClock::time_point::max()).is_forever());
}

}  // namespace
