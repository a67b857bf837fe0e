// SPDX-License-Identifier: MIT
#include <threading/timeout.hpp>

#include <threading/errors.hpp>

namespace threading::inline v1::detail {

std::int64_t nanoseconds_from_number(double seconds) noexcept {
  // A number below the range has passed as surely as any other negative one.
  if (seconds < -TIMEOUT_MAX.count()) return std::numeric_limits<std::int64_t>::min();
  const long double exact = static_cast<long double>(seconds) * 1e9L;
  if (seconds >= 0) return static_cast<std::int64_t>(std::ceil(exact));
  // A negative number stays negative, however small, and only -1.0 itself becomes what stands for "forever".
  const auto below = static_cast<std::int64_t>(std::floor(exact));
  return below == kMinusOneSecond && seconds != -1.0 ? below + 1 : below;
}

void throw_bad_number(double seconds) {
  if (std::isnan(seconds)) throw_nan();
  throw OverflowError("timestamp out of range for C PyTime_t");
}

void throw_nan() { throw ValueError("Invalid value NaN (not a number)"); }

void throw_negative_timeout() { throw ValueError("timeout value must be a non-negative number"); }

void throw_timeout_without_blocking() { throw ValueError("can't specify a timeout for a non-blocking call"); }

}  // namespace threading::inline v1::detail
