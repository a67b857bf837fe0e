// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

namespace threading::inline v1::timer {

// How late the system wakes a sleeper. A processor that has gone idle takes tens of microseconds to come back, nearly
// the same each time, and every timer would be late by that. So the watcher has itself woken so much earlier, and looks
// at the clock for the rest: mostly next to nothing, and never longer than kMost.
class WakeLag {
 public:
  // Nanoseconds. One wake-up of an idle processor takes 20–45 µs on the virtual machines we measured.
  static constexpr std::int64_t kMost = 50'000;

  // How long before a moment to have oneself woken.
  std::int64_t lead() const noexcept { return lead_; }

  // A sleep ended so much later than it was to. Follows the quicker wake-ups: what is missing to the others is late as
  // it would have been anyway, but time that is waited awake is taken from somebody.
  void note(std::int64_t late) noexcept {
    late = std::clamp(late, std::int64_t{0}, kMost);
    lead_ = late > lead_ ? lead_ + (late - lead_) / 8 : (lead_ + late) / 2;
  }

 private:
  std::int64_t lead_ = 0;
};

}  // namespace threading::inline v1::timer
