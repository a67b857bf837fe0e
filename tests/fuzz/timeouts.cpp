// SPDX-License-Identifier: MIT
//
// Fuzz target: every way to make a Timeout, against arithmetic that cannot overflow.
#include <bit>
#include <cmath>
#include <limits>
#include <ratio>

#include "fuzz/fuzz.hpp"

namespace fuzz {
namespace {

using threading::Deadline;
using threading::Timeout;
__extension__ using Wide = __int128;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

std::int64_t saturated(Wide value) {
  if (value > kMost) return kMost;
  if (value < kLeast) return kLeast;
  return static_cast<std::int64_t>(value);
}

// Rounded up, so that no wait is shorter than was asked for.
std::int64_t nanoseconds(Wide count, Wide numerator, Wide denominator) {
  const Wide scaled = count * numerator;
  const Wide whole = scaled / denominator;
  return saturated(whole * denominator < scaled ? whole + 1 : whole);
}

template <class Duration>
void check_whole(Duration duration) {
  using Period = std::ratio_divide<typename Duration::period, std::nano>;
  const std::int64_t expected = nanoseconds(duration.count(), Period::num, Period::den);
  const Timeout timeout(duration);
  check(timeout.kind() == Timeout::Kind::relative && !timeout.is_forever(), "a duration is not relative");
  // Saturation looks at a rounded number: within a microsecond of the end it may come early.
  const std::int64_t got = timeout.nanoseconds();
  const bool at_the_end = got == kMost && expected > kMost - 1024;
  check(got == expected || at_the_end, "a duration became another number of nanoseconds");
}

void check_number(double seconds) {
  const std::string outcome = outcome_of([=] { return Timeout(seconds).nanoseconds(); });
  if (std::isnan(seconds)) return check_same(outcome, "ValueError: Invalid value NaN (not a number)", "NaN");
  if (seconds > threading::TIMEOUT_MAX.count()) {
    return check_same(outcome, "OverflowError: timestamp out of range for C PyTime_t", "too large a number");
  }
  const std::int64_t got = Timeout(seconds).nanoseconds();
  check((got < 0) == (seconds < 0), "a number changed its sign");
  check((got == -1'000'000'000) == (seconds == -1.0), "another number than -1.0 stands for ever");
  check((got == 0) == (seconds == 0), "a number became zero");
  if (seconds > 0) check(static_cast<long double>(got) >= static_cast<long double>(seconds) * 1e9L, "rounded down");
  if (seconds >= -1e9) {
    const long double off = static_cast<long double>(got) - static_cast<long double>(seconds) * 1e9L;
    check(off >= -1.0L && off < 2.0L, "a number is more than a nanosecond off");
  }
}

void check_lock_rules(double seconds, bool blocking) {
  if (std::isnan(seconds) || seconds > threading::TIMEOUT_MAX.count()) return;
  const Timeout timeout(seconds);
  const std::string one = outcome_of([&] { return threading::detail::lock_timeout(timeout).is_forever(); });
  check_same(one,
             seconds == -1.0 ? "true"
             : seconds < 0   ? "ValueError: timeout value must be a non-negative number"
                             : "false",
             "a lock's timeout");
  const std::string two = outcome_of([&] { return threading::detail::lock_timeout(blocking, timeout).is_forever(); });
  if (blocking) return check_same(two, one, "a lock's timeout, blocking");
  check_same(two, seconds == -1.0 ? "false" : "ValueError: can't specify a timeout for a non-blocking call",
             "a lock's timeout, not blocking");
}

void check_deadlines(std::int64_t ns) {
  const std::int64_t before = threading::detail::backend::monotonic_now();
  const Deadline after = Deadline::after(ns);
  const std::int64_t now = threading::detail::backend::monotonic_now();
  if (ns <= 0) return check(after == Deadline::passed() && after.expired(), "what is over has not passed");
  const Wide least = static_cast<Wide>(before) + ns;
  const Wide most = static_cast<Wide>(now) + ns;
  check(after.is_never() ? most >= kMost : after.nanoseconds() >= least && after.nanoseconds() <= most,
        "a deadline is at another time");
  check(Deadline::never().expired() == false, "never has passed");
}

// A clock in whose type the distance from now may not fit.
void check_until(std::int64_t raw) {
  using System = std::chrono::system_clock;
  using Days = std::chrono::duration<std::int32_t, std::ratio<86400>>;
  const std::chrono::time_point<System, Days> days{Days(static_cast<std::int32_t>(raw))};
  const Timeout far = threading::detail::timeout_until(days);
  const bool is_past = days < std::chrono::time_point_cast<Days>(System::now()) - Days(1);
  const bool is_future = days > std::chrono::time_point_cast<Days>(System::now()) + Days(2);
  if (is_past) check(far.deadline().expired(), "a day that has passed is to come");
  if (is_future) check(!far.deadline().expired(), "a day to come has passed");
  const std::chrono::steady_clock::time_point steady{std::chrono::nanoseconds(raw)};
  const Timeout absolute = threading::detail::timeout_until(steady);
  check(absolute.kind() == Timeout::Kind::absolute && absolute.nanoseconds() == raw, "a time point became another");
}

}  // namespace

void run(Input& input) {
  while (input.more()) {
    const unsigned what = input.below(10);
    const auto raw = static_cast<std::int64_t>(input.word());
    const auto number = std::bit_cast<double>(raw);
    switch (what) {
      case 0: check_whole(std::chrono::duration<std::int64_t, std::nano>(raw)); break;
      case 1: check_whole(std::chrono::duration<std::int64_t, std::pico>(raw)); break;
      case 2: check_whole(std::chrono::duration<std::int64_t, std::ratio<3600>>(raw)); break;
      case 3: check_whole(std::chrono::duration<std::int32_t, std::ratio<1, 3>>(static_cast<std::int32_t>(raw))); break;
      case 4: check_whole(std::chrono::duration<std::uint8_t, std::milli>(static_cast<std::uint8_t>(raw))); break;
      case 5: check_number(number); break;
      case 6: check_number(static_cast<double>(raw) * 1e-9); break;
      case 7: check_lock_rules(input.flag() ? number : static_cast<double>(raw % 4) / 2, input.flag()); break;
      case 8: check_deadlines(raw); break;
      default: check_until(raw);
    }
  }
}

}  // namespace fuzz
