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
  const auto in_use = [] {
    const auto info = mallinfo2();
    return static_cast<double>(info.uordblks + info.hblkhd);
  };
  const double before = in_use();
  for (std::size_t i = 0; i < kCount; ++i) {
    timers.emplace_back(1h, [] {});
    timers.back().start();
  }
  const double each = (in_use() - before) / kCount;
  RecordProperty("bytes_each", std::to_string(each));
  std::cout << each << " bytes each\n";
  EXPECT_LE(each, 256.0);
  for (const threading::Timer& timer : timers) timer.cancel();
  first.cancel();
}

#endif

}  // namespace
