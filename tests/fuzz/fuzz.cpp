// SPDX-License-Identifier: MIT
#include "fuzz/fuzz.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <thread>

#include "parking/inspect.hpp"

namespace fuzz {
namespace {

using namespace std::chrono_literals;
using threading::Timeout;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kLongestWait = 40'000;  // nanoseconds

// Numbers that are no timeout.
void see_refused(Input& input) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  switch (input.below(5)) {
    case 0:
      check_same(outcome_of([] { static_cast<void>(Timeout(std::nan(""))); }),
                 "ValueError: Invalid value NaN (not a number)", "NaN");
      break;
    case 1:
      check_same(outcome_of([] { static_cast<void>(Timeout(std::chrono::duration<double>(std::nan("")))); }),
                 "ValueError: Invalid value NaN (not a number)", "a duration of NaN");
      break;
    case 2:
      check_same(outcome_of([] { static_cast<void>(Timeout(kInfinity)); }),
                 "OverflowError: timestamp out of range for C PyTime_t", "infinity");
      break;
    default: {
      const double beyond = threading::TIMEOUT_MAX.count() * (1.0 + 1e-9 * (1 + input.below(255)));
      check_same(outcome_of([=] { static_cast<void>(Timeout(beyond)); }),
                 "OverflowError: timestamp out of range for C PyTime_t", "more than TIMEOUT_MAX");
    }
  }
}

double negative_number(Input& input) {
  switch (input.below(5)) {
    case 0: return -1e-12;
    case 1: return -std::numeric_limits<double>::infinity();
    case 2: return -0.9999999999;
    case 3: return -std::numeric_limits<double>::denorm_min();
    default: return -1.0 - input.byte() - 0.5;
  }
}

}  // namespace

void check(bool holds, const char* what, const char* file, int line) {
  if (holds) return;
  std::fprintf(stderr, "%s:%d: %s\n", file, line, what);
  std::abort();
}

void check_same(const std::string& got, const std::string& expected, const char* what, const char* file, int line) {
  if (got == expected) return;
  std::fprintf(stderr, "%s:%d: %s: got \"%s\", expected \"%s\"\n", file, line, what, got.c_str(), expected.c_str());
  std::abort();
}

const std::stop_token& stopped() {
  static const std::stop_token token = [] {
    std::stop_source source;
    source.request_stop();
    return source.get_token();
  }();
  return token;
}

Bound short_bound(Input& input) {
  const std::chrono::nanoseconds length(input.short_word() % kLongestWait);
  const Clock::time_point now = Clock::now();
  switch (input.below(5)) {
    case 0: return {};
    case 1: return {.timeout = length, .not_before = now + length};
    case 2: return {.timeout = now + length, .not_before = now + length};
    case 3: {
      const double seconds = static_cast<double>(length.count()) * 1e-9;
      // The number is rounded, perhaps down, by less than a nanosecond.
      return {.timeout = seconds, .not_before = now + length - 1ns};
    }
    default: return {.timeout = -length};
  }
}

Bound any_bound(Input& input) {
  switch (input.below(12)) {
    case 0: return {.timeout = threading::forever, .forever = true};
    case 1: return {.timeout = 1h, .is_long = true};
    case 2: return {.timeout = Clock::time_point::max(), .is_long = true};
    case 3: return {.timeout = threading::TIMEOUT_MAX.count(), .is_long = true};
    case 4: return {.timeout = -1.0, .minus_one = true};
    case 5: return {.timeout = negative_number(input), .negative_number = true};
    case 6: return {.timeout = Clock::time_point::min()};
    case 7: see_refused(input); return {};
    default: return short_bound(input);
  }
}

}  // namespace fuzz

// What libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::Input input(bytes, size);
  fuzz::run(input);
  // Threads of the timers' own may be at their lock for a moment yet.
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (threading::parking::collect_waiters(nullptr, 0) != 0) {
    fuzz::check(std::chrono::steady_clock::now() < limit, "a thread was left waiting");
    std::this_thread::yield();
  }
  return 0;
}
