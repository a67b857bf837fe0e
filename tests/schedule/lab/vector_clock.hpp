// SPDX-License-Identifier: MIT
//
// Who knows how much of whom: the happens-before relation of one execution.
#pragma once

#include <cstdint>

namespace lab::detail {

// More threads than this make an exploration too large to finish anyway, and eight clocks fit one vector register.
inline constexpr unsigned kMaxThreads = 8;

struct alignas(16) VectorClock {
  // Signed, because SSE2 has a packed maximum for signed 16-bit integers only. World caps the steps of an execution
  // far below the overflow.
  std::int16_t at[kMaxThreads] = {};

  void join(const VectorClock& other) noexcept {
    for (unsigned i = 0; i < kMaxThreads; ++i) at[i] = at[i] > other.at[i] ? at[i] : other.at[i];
  }
};

}  // namespace lab::detail
