// SPDX-License-Identifier: MIT
#include "platform/block_pool.hpp"

#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "support/support.hpp"

namespace {

using threading::platform::Block;
using threading::platform::give_back_pooled;
using threading::platform::take_pooled;

std::uintptr_t address_of(const Block& block) { return reinterpret_cast<std::uintptr_t>(block.at); }

// Whether no two of them overlap; each is of the size given.
bool are_apart(const std::vector<Block>& blocks, std::size_t size) {
  std::set<std::uintptr_t> begins;
  for (const Block& block : blocks) begins.insert(address_of(block));
  if (begins.size() != blocks.size()) return false;
  std::uintptr_t last = 0;
  for (const std::uintptr_t begin : begins) {
    if (last != 0 && begin - last < size) return false;
    last = begin;
  }
  return true;
}

// Sizes on both sides of every step, and more blocks than a few segments hold.
TEST(BlockPool, BlocksInUseDoNotOverlapAndHoldWhatWasWritten) {
  for (const std::size_t size : {1u, 95u, 96u, 97u, 128u, 129u, 160u, 192u, 193u, 224u, 225u, 256u, 288u, 289u, 320u}) {
    std::vector<Block> blocks;
    for (int i = 0; i < 1000; ++i) {
      blocks.push_back(take_pooled(size));
      std::memset(blocks.back().at, i & 0xff, size);
      ASSERT_EQ(address_of(blocks.back()) % __STDCPP_DEFAULT_NEW_ALIGNMENT__, 0u);
    }
    EXPECT_TRUE(are_apart(blocks, size)) << size;
    for (int i = 0; i < 1000; ++i) {
      const auto* const bytes = static_cast<const unsigned char*>(blocks[static_cast<std::size_t>(i)].at);
      ASSERT_TRUE(bytes[0] == (i & 0xff) && bytes[size - 1] == (i & 0xff));
    }
    for (const Block& block : blocks) give_back_pooled(block.number);
  }
}

TEST(BlockPool, HasNoBlockForWhatIsLarge) { EXPECT_EQ(take_pooled(321).number, 0u); }

TEST(BlockPool, TheLastOneGivenBackIsTheNextOneTaken) {
  const Block first = take_pooled(200);
  const Block second = take_pooled(200);
  give_back_pooled(first.number);
  give_back_pooled(second.number);
  EXPECT_EQ(take_pooled(210).at, second.at) << "of the same step";
  EXPECT_EQ(take_pooled(200).at, first.at);
  give_back_pooled(first.number);
  give_back_pooled(second.number);
}

TEST(BlockPool, NumbersOfAllSizesDiffer) {
  std::set<std::uint32_t> numbers;
  std::map<std::size_t, std::vector<Block>> blocks;
  for (const std::size_t size : {96u, 128u, 160u, 192u, 224u, 256u, 288u, 320u}) {
    for (int i = 0; i < 200; ++i) {
      const Block block = take_pooled(size);
      EXPECT_NE(block.number, 0u);
      EXPECT_TRUE(numbers.insert(block.number).second);
      blocks[size].push_back(block);
    }
  }
  for (const auto& [size, taken] : blocks) {
    for (const Block& block : taken) give_back_pooled(block.number);
  }
}

// Each thread writes its mark into what it holds: nobody else may have it meanwhile.
TEST(BlockPool, ThreadsThatTakeAndGiveBackAtOnceShareNoBlock) {
  support::Bunch(4, [&](int index) {
    std::mt19937 random(static_cast<unsigned>(index));
    std::vector<Block> held;
    const auto mark = static_cast<unsigned char>(index + 1);
    for (int i = 0; i < support::rounds(50'000); ++i) {
      if (held.size() < 100 && random() % 2 == 0) {
        held.push_back(take_pooled(150));
        std::memset(held.back().at, mark, 150);
      } else if (!held.empty()) {
        std::swap(held[random() % held.size()], held.back());
        const auto* const bytes = static_cast<const unsigned char*>(held.back().at);
        ASSERT_TRUE(bytes[0] == mark && bytes[149] == mark);
        give_back_pooled(held.back().number);
        held.pop_back();
      }
    }
    for (const Block& block : held) give_back_pooled(block.number);
  }).join();
}

}  // namespace
