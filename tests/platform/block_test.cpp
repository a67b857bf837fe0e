// SPDX-License-Identifier: MIT
#include "platform/block.hpp"

#include <cstdint>
#include <cstring>

#include <gtest/gtest.h>

namespace {

using threading::platform::Block;
using threading::platform::give_back_block;
using threading::platform::take_block;

TEST(Block, AnyAlignmentIsHonouredByAnySize) {
  for (const std::size_t align : {1u, 8u, 16u, 32u, 64u, 4096u}) {
    for (const std::size_t size : {1u, 128u, 200u, 352u, 353u, 100'000u}) {
      const Block block = take_block(size, align);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block.at) % align, 0u) << size;
      std::memset(block.at, 1, size);
      give_back_block(block, align);
    }
  }
}

}  // namespace
