// SPDX-License-Identifier: MIT
// expect: (no matching function|could not convert|no viable conversion)
// A time of day may be set; no wait is bounded by it without saying so.
#include <chrono>

#include <threading/timeout.hpp>

threading::Timeout soon() {
#if defined(BAD)
  return std::chrono::system_clock::now();
#else
  return std::chrono::steady_clock::now();
#endif
}
