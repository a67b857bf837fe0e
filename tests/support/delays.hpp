// SPDX-License-Identifier: MIT
//
// How long tests wait. Four constants, scaled by one factor, so that a slow machine or a sanitizer needs one number.
// No test sleeps to reach a state: it polls something observable with eventually().
#pragma once

#include <chrono>
#include <concepts>
#include <thread>

namespace support {

// THREADING_TEST_SCALE, or 1, times 3 in a sanitized build.
double time_scale();

// For repeated rounds: `count` times THREADING_TEST_ROUNDS (default 1), a tenth of it in a sanitized build; at least 1.
int rounds(int count);

// For threads at once: `count`, but at most THREADING_TEST_CROWD if that is given.
int crowd(int count);

// THREADING_STRESS_SCALE, or 1: how much longer than a few seconds each stress test runs.
double stress_scale();

inline std::chrono::milliseconds scaled(std::chrono::milliseconds delay) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(delay * time_scale());
}

// A timeout that is meant to pass.
inline const std::chrono::milliseconds kShortDelay = scaled(std::chrono::milliseconds(20));
// A timeout that is meant to pass after others of kShortDelay have.
inline const std::chrono::milliseconds kSmallDelay = scaled(std::chrono::milliseconds(100));
// How long "nothing happens" is watched.
inline const std::chrono::milliseconds kMediumDelay = scaled(std::chrono::milliseconds(500));
// A timeout that must not pass: what is waited for comes first, or the test has failed.
inline const std::chrono::milliseconds kLongDelay = scaled(std::chrono::milliseconds(20'000));

// Polls until `predicate()` holds. Returns: whether it did within `limit`; use as ASSERT_TRUE(eventually(...)).
template <std::predicate Predicate>
bool eventually(Predicate predicate, std::chrono::milliseconds limit = kLongDelay) {
  const auto give_up = std::chrono::steady_clock::now() + limit;
  for (int tries = 0; !predicate(); ++tries) {
    if (std::chrono::steady_clock::now() > give_up) return predicate();
    if (tries < 100) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  return true;
}

}  // namespace support
