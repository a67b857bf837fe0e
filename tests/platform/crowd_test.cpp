// SPDX-License-Identifier: MIT
//
// When the processor is offered, and when not. Stands before the system's sched_yield().
#include "platform/crowd.hpp"

#include <sched.h>

#include <algorithm>
#include <chrono>

#include <gtest/gtest.h>

namespace {

thread_local int offers = 0;
thread_local bool are_late = false;

}  // namespace

extern "C" int sched_yield() noexcept {
  ++offers;
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
  while (are_late && std::chrono::steady_clock::now() < end) continue;
  return 0;
}

namespace {

using threading::platform::Crowd;

// Returns: after how many offers one was refused.
int offers_until_refused(Crowd& crowd) {
  offers = 0;
  for (int left = 1'000; left != 0 && crowd.offer(); --left) continue;
  return offers;
}

int refusals_until_offered(Crowd& crowd) {
  int refusals = 0;
  while (refusals < 1'000 && !crowd.offer()) ++refusals;
  return refusals;
}

TEST(Crowd, KeepsFromOfferingAfterALateOffer) {
  are_late = true;
  Crowd crowd;
  EXPECT_EQ(offers_until_refused(crowd), 1) << "the first offer is timed";
  EXPECT_EQ(refusals_until_offered(crowd), 14) << "15 with the one that was seen";
  EXPECT_EQ(offers_until_refused(crowd), 0) << "who has met one times each offer";
  EXPECT_EQ(refusals_until_offered(crowd), 62);
  crowd.reset_after_fork();
  EXPECT_EQ(offers_until_refused(crowd), 1);
  EXPECT_EQ(refusals_until_offered(crowd), 14);
}

// One offer in 16 is timed, whenever the third party comes.
TEST(Crowd, IsFoundWithinSixteenOffers) {
  Crowd crowd;
  int most = 0;
  for (int before = 0; before != 16; ++before) {
    crowd.reset_after_fork();
    are_late = false;
    for (int left = before; left != 0; --left) static_cast<void>(crowd.offer());
    are_late = true;
    most = std::max(most, offers_until_refused(crowd));
  }
  EXPECT_LE(most, 16);
}

}  // namespace
