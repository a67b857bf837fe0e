// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <ratio>
#include <type_traits>
#include <utility>

#include <threading/detail/config.hpp>
#include <threading/detail/deadline.hpp>

namespace threading::inline v1 {

// The largest number of seconds a call takes; beyond it OverflowError. The same value as CPython's on this platform.
inline constexpr std::chrono::duration<double> TIMEOUT_MAX{9223372036.0};

namespace detail {
inline constexpr std::int64_t kMinusOneSecond = -1'000'000'000;

// Nanoseconds, rounded away from zero, so that no wait is shorter than asked for and a negative number stays one.
// Requires: not NaN, at most TIMEOUT_MAX.
THREADING_API std::int64_t nanoseconds_from_number(double seconds) noexcept;
// Throws: ValueError "Invalid value NaN (not a number)"; OverflowError "timestamp out of range for C PyTime_t".
[[noreturn]] THREADING_COLD THREADING_API void throw_bad_number(double seconds);
[[noreturn]] THREADING_API void throw_nan();

// Rounded up. Requires: the result fits.
template <class Rep, class Period>
constexpr std::int64_t nanoseconds_rounded_up(const std::chrono::duration<Rep, Period>& d) {
  using Ratio = std::ratio_divide<Period, std::nano>;
  constexpr bool kFits = Ratio::num <= std::numeric_limits<std::int64_t>::max() / Ratio::den;
  if constexpr (std::is_integral_v<Rep> && kFits) {
    // Not by chrono::ceil(), which multiplies first: thirds of a second overflow there long before their nanoseconds
    // do.
    using Wide = std::common_type_t<Rep, std::int64_t>;
    constexpr auto num = static_cast<Wide>(Ratio::num);
    constexpr auto den = static_cast<Wide>(Ratio::den);
    const auto count = static_cast<Wide>(d.count());
    const Wide rest = count % den * num;  // has the sign of `count`, and goes towards zero when it is divided
    const Wide whole = count / den * num + rest / den;
    return static_cast<std::int64_t>(rest > 0 && rest % den != 0 ? whole + 1 : whole);
  } else {
    return static_cast<std::int64_t>(std::chrono::ceil<std::chrono::nanoseconds>(d).count());
  }
}

// Saturating, rounded up. Throws: ValueError for a NaN duration.
template <class Rep, class Period>
constexpr std::int64_t nanoseconds_from(const std::chrono::duration<Rep, Period>& d) {
  using Limits = std::numeric_limits<std::int64_t>;
  using Ratio = std::ratio_divide<Period, std::nano>;
  if constexpr (std::is_integral_v<Rep> && Ratio::den == 1) {
    // All usual ones. Whole numbers tell as well whether it fits, and sooner than a long double.
    const auto count = +d.count();
    if (std::cmp_greater(count, Limits::max() / Ratio::num)) return Limits::max();
    if (std::cmp_less(count, Limits::min() / Ratio::num)) return Limits::min();
    return static_cast<std::int64_t>(count) * Ratio::num;
  }
  const auto wide = std::chrono::duration<long double, std::nano>(d).count();
  if constexpr (std::is_floating_point_v<Rep>) {
    if (!(wide < 0 || wide >= 0)) throw_nan();
  }
  if (wide >= static_cast<long double>(Limits::max())) return Limits::max();
  if (wide <= static_cast<long double>(Limits::min())) return Limits::min();
  if constexpr (std::is_floating_point_v<Rep>) {
    const auto whole = static_cast<std::int64_t>(wide);
    return static_cast<long double>(whole) < wide ? whole + 1 : whole;
  } else {
    return nanoseconds_rounded_up(d);
  }
}
}  // namespace detail

// How long a blocking call may take: Python's `timeout`. Implicitly made from
//  - any std::chrono duration: counts from each call it is given to; never throws but for NaN; saturates;
//  - any steady_clock time point: absolute;
//  - a floating-point number of seconds, with Python's checks.
// An integer is not a Timeout: acquire(1) does not compile.
class Timeout {
 public:
  enum class Kind : std::uint8_t { never, relative, absolute, number };

  template <class Rep, class Period>
  constexpr Timeout(const std::chrono::duration<Rep, Period>& d)
      : ns_(detail::nanoseconds_from(d)), kind_(Kind::relative) {}

  template <class Duration>
  constexpr Timeout(const std::chrono::time_point<std::chrono::steady_clock, Duration>& t)
      : ns_(detail::nanoseconds_from(t.time_since_epoch())), kind_(Kind::absolute) {}

  // Throws: ValueError "Invalid value NaN (not a number)"; OverflowError "timestamp out of range for C PyTime_t"
  // above TIMEOUT_MAX. A negative number is judged by the call: see detail::lock_timeout().
  template <std::floating_point Seconds>
  Timeout(Seconds seconds)
      : ns_(std::bit_cast<std::int64_t>(static_cast<double>(seconds))), kind_(Kind::number), is_converted_(false) {
    if (!(static_cast<double>(seconds) <= TIMEOUT_MAX.count())) detail::throw_bad_number(static_cast<double>(seconds));
  }

  // For the library: `forever`, and a timeout from its two parts.
  static constexpr Timeout make_forever() noexcept { return Timeout(0, Kind::never); }
  static constexpr Timeout make(std::int64_t nanoseconds, Kind kind) noexcept { return Timeout(nanoseconds, kind); }

  // Whether it has no bound, and how the number below is meant.
  constexpr bool is_forever() const noexcept { return kind_ == Kind::never; }
  constexpr Kind kind() const noexcept { return kind_; }
  // Relative or since the clock's start, by kind(). Unit: nanoseconds.
  constexpr std::int64_t nanoseconds() const noexcept {
    return is_converted_ ? ns_ : detail::nanoseconds_from_number(std::bit_cast<double>(ns_));
  }
  // Whether it is a number below zero, and whether it is -1.0, which to some calls means "for ever".
  constexpr bool is_negative_number() const noexcept {
    return kind_ == Kind::number && (is_converted_ ? ns_ < 0 : std::bit_cast<double>(ns_) < 0);
  }
  constexpr bool is_minus_one() const noexcept {
    return kind_ == Kind::number &&
           ns_ == (is_converted_ ? detail::kMinusOneSecond : std::bit_cast<std::int64_t>(-1.0));
  }

  // Starts a relative timeout now. Reads the clock only for one that lies ahead.
  Deadline deadline() const noexcept { return is_relative() ? Deadline::after(nanoseconds()) : fixed_deadline(); }
  // The same for who has read the clock already.
  constexpr Deadline deadline(std::int64_t now) const noexcept {
    return is_relative() ? Deadline::after(nanoseconds(), now) : fixed_deadline();
  }

 private:
  constexpr Timeout(std::int64_t ns, Kind kind) noexcept : ns_(ns), kind_(kind) {}

  constexpr bool is_relative() const noexcept { return kind_ == Kind::relative || kind_ == Kind::number; }
  constexpr Deadline fixed_deadline() const noexcept {
    return kind_ == Kind::never ? Deadline::never() : Deadline::at(ns_);
  }

  std::int64_t ns_;  // or, until somebody needs it in nanoseconds, the bits of a number of seconds
  Kind kind_;
  bool is_converted_ = true;
};

inline constexpr Timeout forever = Timeout::make_forever();                    // timeout=None or -1
inline constexpr Timeout no_wait = Timeout::make(0, Timeout::Kind::relative);  // blocking=False

namespace detail {
[[noreturn]] THREADING_API void throw_negative_timeout();
[[noreturn]] THREADING_API void throw_timeout_without_blocking();

// The rule of Lock and RLock for numbers: -1.0 means for ever.
// Throws: ValueError "timeout value must be a non-negative number" for any other negative number.
inline Timeout lock_timeout(Timeout t) {
  if (!t.is_negative_number()) [[likely]]
    return t;
  if (t.is_minus_one()) return forever;
  throw_negative_timeout();
}

// `blocking` and `timeout` of Lock and RLock as one bound.
// Throws: ValueError "can't specify a timeout for a non-blocking call".
inline Timeout lock_timeout(bool blocking, Timeout t) {
  if (blocking) return lock_timeout(t);
  if (!t.is_forever() && !t.is_minus_one()) throw_timeout_without_blocking();
  return no_wait;
}

// A bound of std's try_lock_for/until.
template <class Rep, class Period>
Timeout timeout_for(const std::chrono::duration<Rep, Period>& d) {
  return Timeout(d);
}
// Another clock than steady_clock is read once, now: a later step of that clock is not followed.
template <class Clock, class Duration>
Timeout timeout_until(const std::chrono::time_point<Clock, Duration>& t) {
  if constexpr (std::is_same_v<Clock, std::chrono::steady_clock>) {
    return Timeout(t);
  } else {
    // In saturated nanoseconds, since the difference of two time points may not fit their own type.
    const std::int64_t until = nanoseconds_from(t.time_since_epoch());
    const std::int64_t now = nanoseconds_from(Clock::now().time_since_epoch());
    if (until <= now) return no_wait;
    std::int64_t left = 0;
    if (__builtin_sub_overflow(until, now, &left)) return forever;
    return Timeout::make(left, Timeout::Kind::relative);
  }
}
}  // namespace detail

}  // namespace threading::inline v1
