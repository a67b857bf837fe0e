// SPDX-License-Identifier: MIT
//
// A kernel that misbehaves within its rights. The soak's parkers sleep through these faults instead of through
// src/platform/futex.cpp directly, which is compiled in beneath them unchanged.
//
//   spurious   a sleep that ends at once although nobody woke it: `woken`, or `interrupted` as after a signal
//   delayed    a wake that comes only after the waking thread has given its processor away
#pragma once

#include <cstdint>

namespace soak {

struct FaultCounts {
  std::uint64_t spurious = 0;
  std::uint64_t delayed = 0;
  std::uint64_t interrupted = 0;  // by real signals: not injected, only counted
};

// From now on this many of 256 sleeps end spuriously, and this many of 256 wakes are delayed. 0, 0: none, the initial
// state.
void set_faults(std::uint32_t spurious_of_256, std::uint32_t delayed_of_256) noexcept;
// Since the process began.
FaultCounts fault_counts() noexcept;

}  // namespace soak
