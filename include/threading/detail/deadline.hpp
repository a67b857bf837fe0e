// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>

#include <threading/detail/backend.hpp>

namespace threading::inline v1 {

// Until when: an absolute time in nanoseconds on the monotonic clock. Inside the library every bound is a Deadline;
// relative seconds die at the public border (timeout.hpp).
class Deadline {
 public:
  static constexpr Deadline never() noexcept { return Deadline(kNever); }
  // Already over, without reading the clock.
  static constexpr Deadline passed() noexcept { return Deadline(kPassed); }
  static constexpr Deadline at(std::int64_t nanoseconds) noexcept { return Deadline(nanoseconds); }

  // Now plus `nanoseconds`, saturating; nothing or less has passed already.
  static Deadline after(std::int64_t nanoseconds) noexcept {
    if (nanoseconds <= 0) return passed();
    return after(nanoseconds, detail::backend::monotonic_now());
  }
  // The same for who has read the clock already.
  static constexpr Deadline after(std::int64_t nanoseconds, std::int64_t now) noexcept {
    if (nanoseconds <= 0) return passed();
    return now > kNever - nanoseconds ? never() : Deadline(now + nanoseconds);
  }

  constexpr bool is_never() const noexcept { return ns_ == kNever; }
  constexpr std::int64_t nanoseconds() const noexcept { return ns_; }
  bool expired() const noexcept {
    if (ns_ == kNever) return false;
    return ns_ == kPassed || detail::backend::monotonic_now() >= ns_;
  }

  friend constexpr bool operator==(Deadline, Deadline) noexcept = default;

 private:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  static constexpr std::int64_t kPassed = std::numeric_limits<std::int64_t>::min();

  explicit constexpr Deadline(std::int64_t ns) noexcept : ns_(ns) {}

  std::int64_t ns_;
};

}  // namespace threading::inline v1
