// SPDX-License-Identifier: MIT
#include "timer/wake_lag.hpp"

#include <cstdint>

#include <gtest/gtest.h>

namespace {

using threading::timer::WakeLag;

TEST(WakeLag, BeginsWithoutALead) { EXPECT_EQ(WakeLag().lead(), 0); }

TEST(WakeLag, ComesNearToAnEvenDelayAndNotBeyond) {
  WakeLag lag;
  for (int i = 0; i < 100; ++i) {
    lag.note(20'000);
    ASSERT_LE(lag.lead(), 20'000);
  }
  EXPECT_GT(lag.lead(), 19'900);
}

TEST(WakeLag, GivesInToAQuickWakeUpAtOnce) {
  WakeLag lag;
  for (int i = 0; i < 100; ++i) lag.note(20'000);
  lag.note(0);
  EXPECT_LE(lag.lead(), 10'000);
}

TEST(WakeLag, OneThatWasHeldUpForLongMovesItLittle) {
  WakeLag lag;
  for (int i = 0; i < 100; ++i) lag.note(5'000);
  lag.note(1'000'000'000);
  EXPECT_LE(lag.lead(), 5'000 + WakeLag::kMost / 8);
}

TEST(WakeLag, StaysWithinItsBounds) {
  WakeLag lag;
  for (int i = 0; i < 1000; ++i) lag.note(INT64_MAX);
  EXPECT_LE(lag.lead(), WakeLag::kMost);
  for (int i = 0; i < 1000; ++i) lag.note(-1);
  EXPECT_EQ(lag.lead(), 0);
}

}  // namespace
