// SPDX-License-Identifier: MIT
//
// Lots drawn by a clock come up as often as they should, however coarsely the clock ticks.
#include "parking/draw.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace {

using threading::parking::drawn_one_in;

class DrawTest : public testing::TestWithParam<std::int64_t> {};

TEST_P(DrawTest, ComesUpOneTimeInSoMany) {
  constexpr std::int64_t kSomeTime = 1'234'567'890'000;
  constexpr int kDraws = 1 << 16;
  for (const std::uint32_t n : {4u, 8u, 1'024u}) {
    int drawn = 0;
    for (int i = 0; i < kDraws; ++i) drawn += drawn_one_in(n, kSomeTime + i * GetParam()) ? 1 : 0;
    EXPECT_GT(drawn, kDraws / static_cast<int>(n) / 2) << "one in " << n;
    EXPECT_LT(drawn, kDraws / static_cast<int>(n) * 2) << "one in " << n;
  }
}

INSTANTIATE_TEST_SUITE_P(TicksInNanoseconds, DrawTest, testing::Values(1, 8, 40, 100, 1'000, 1'024, 10'000));

}  // namespace
