// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace support {

// xorshift: no better randomness is needed, and nothing is cheaper. The same seed gives the same numbers.
class Random {
 public:
  explicit Random(std::uint32_t seed) noexcept : state_(seed * 2654435761u + 12345u) {
    if (state_ == 0) state_ = 1;
  }

  std::uint32_t next() noexcept {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    state_ ^= state_ << 5;
    return state_;
  }
  std::uint32_t below(std::uint32_t limit) noexcept { return next() % limit; }

 private:
  std::uint32_t state_;
};

}  // namespace support
