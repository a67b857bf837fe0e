// SPDX-License-Identifier: MIT
//
// What a thread learns of its own rounds, from one lock to the next, and what contenders make of it.
#include "parking/rounds.hpp"

#include <gtest/gtest.h>

#include <cstdint>

#include "parking/first_look.hpp"

namespace {

using threading::detail::Rounds;
using threading::parking::begin_rounds;
using threading::parking::end_rounds;
using threading::parking::FirstLook;
using threading::parking::kTimeOneIn;

constexpr int kHere = 0;
constexpr int kElsewhere = 0;

class RoundsTest : public testing::Test {
 protected:
  // Gets locks of which the last begins a measurement, at the moment `now`.
  void contend(const void* history, std::uint32_t times = kTimeOneIn) {
    for (; times != 0; --times) begin_rounds(rounds, history, [this] { return now; });
  }
  std::int64_t end(const void* history) {
    return end_rounds(rounds, history, [this] { return now; });
  }

  Rounds rounds;
  std::int64_t now = 1'000;
};

TEST_F(RoundsTest, AreTimedFromALockToTheNextThatIsContended) {
  contend(&kHere);
  rounds.released += 4;
  now += 832;
  EXPECT_EQ(end(&kHere), 208);
}

TEST_F(RoundsTest, AreTimedOnce) {
  contend(&kHere);
  rounds.released += 1;
  now += 208;
  EXPECT_NE(end(&kHere), 0);
  EXPECT_EQ(end(&kHere), 0);
}

TEST_F(RoundsTest, AreTimedAfterSoManyContendedLocksOnly) {
  contend(&kHere, kTimeOneIn - 1);
  rounds.released += 1;
  now += 208;
  EXPECT_EQ(end(&kHere), 0);
}

TEST_F(RoundsTest, AreNotTimedAcrossLocksOfDifferentBuckets) {
  contend(&kHere);
  rounds.released += 1;
  now += 208;
  EXPECT_EQ(end(&kElsewhere), 0);
  EXPECT_EQ(end(&kHere), 0);  // what came in between is no part of a round
}

TEST_F(RoundsTest, AreNotTimedWithoutARelease) {
  contend(&kHere);
  now += 208;
  EXPECT_EQ(end(&kHere), 0);
}

TEST_F(RoundsTest, GoOnWhenTheCountOfReleasesBeginsAgain) {
  rounds.released = UINT32_MAX;
  contend(&kHere);
  rounds.released += 2;
  now += 416;
  EXPECT_EQ(end(&kHere), 208);
}

TEST(FirstLook, ComesAtOnceWhereRoundsAreWorthIt) {
  FirstLook look;
  look.note_round(5);
  EXPECT_FALSE(look.is_brief());
  look.note_round(208);
  EXPECT_TRUE(look.is_brief());
}

TEST(FirstLook, KeepsWhatItHasLearntWhereRoundsAgree) {
  FirstLook look;
  for (std::int64_t now = 0; look.gap(FirstLook::arrived) == 200; now += 1'000) look.took(FirstLook::arrived, 200, now);
  const std::int64_t learnt = look.gap(FirstLook::arrived);
  look.note_round(208);
  EXPECT_EQ(look.gap(FirstLook::arrived), learnt);
}

}  // namespace
