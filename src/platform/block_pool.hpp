// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace threading::inline v1::platform {

struct Block {
  void* at;
  std::uint32_t number;  // 0: not of the pool
};

// A block of at least `size` bytes, for any object without an alignment of its own. Returns: number 0 for a size that
// the pool does not keep, or when it has reached its bounds, or those of memory.
Block take_pooled(std::size_t size) noexcept;
void give_back_pooled(std::uint32_t number) noexcept;

}  // namespace threading::inline v1::platform
