// SPDX-License-Identifier: MIT
//
// What a pending Timer costs, measured by the allocator.
#include <malloc.h>

#include <iostream>
#include <string>

#include <vector>

#include <gtest/gtest.h>

#include <threading/timer.hpp>

#include "support/support.hpp"

namespace {

using namespace std::chrono_literals;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

TEST(TimerMemory, APendingTimerTakesAtMost256BytesBeyondItsFunction) {
  constexpr std::size_t kCount = 100'000;
  std::vector<threading::Timer> timers;
  timers.reserve(kCount);
  threading::Timer first(1h, [] {});  // what is made once
  first.start();
  const auto before = mallinfo2();
  for (std::size_t i = 0; i < kCount; ++i) {
    timers.emplace_back(1h, [] {});
    timers.back().start();
  }
  const auto after = mallinfo2();
  const double each = static_cast<double>(after.uordblks - before.uordblks) / kCount;
  RecordProperty("bytes_each", std::to_string(each));
  std::cout << each << " bytes each\n";
  EXPECT_LE(each, 256.0);
  for (const threading::Timer& timer : timers) timer.cancel();
  first.cancel();
}

#endif

}  // namespace
