// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace threading::inline v1::base {

inline constexpr std::size_t kLine = 64;  // bytes; where a line is longer, some are asked for twice

// Has the processor fetch the lines of an object of which there are so many that caches do not hold them: all at once,
// not each when it is needed. `at` need not be alive any more. Changes nothing.
inline void prefetch(const void* at, std::size_t size) noexcept {
  for (std::size_t offset = 0; offset < size; offset += kLine) {
    __builtin_prefetch(static_cast<const char*>(at) + offset, 1);
  }
}

}  // namespace threading::inline v1::base
