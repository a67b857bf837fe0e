// SPDX-License-Identifier: MIT
//
// Asymmetric fences: what the kernel promises, and what becomes of it when the kernel no longer keeps its word.

// In slower code each store is seen by others before the next load, fence or none.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O2")
#endif

#include <atomic>
#include <cerrno>
#include <vector>

#include <threading/detail/backend.hpp>

#include "support/refuse_membarrier.hpp"
#include "support/support.hpp"

namespace {

using namespace support;
namespace backend = threading::detail::backend;

#define NEEDS_FENCES() \
  if (!backend::has_heavy_fence()) GTEST_SKIP() << "this kernel has no membarrier()"

// Two threads write a variable each and then read the other's, again and again, each at its own pace. Without a fence
// on either side both may miss what the other has just written, and here do so within a few thousand rounds.
TEST(Fence, OfTwoThreadsOneSeesTheOther) {
  NEEDS_FENCES();
  constexpr int kHeavyRounds = 20'000;
  constexpr int kLightRounds = 4'000'000;
  struct alignas(64) Side {
    std::atomic<int> written{0};
    std::vector<int> seen;  // by round: what the other side had written
  };
  Side light;
  Side heavy;
  light.seen.resize(kLightRounds + 1);
  heavy.seen.resize(kHeavyRounds + 1);
  std::atomic<bool> stops{false};
  int rounds = 0;
  Bunch other;
  other.add([&] {
    while (rounds != kLightRounds && !stops.load(std::memory_order_relaxed)) {
      light.written.store(++rounds, std::memory_order_relaxed);
      backend::light_fence();
      light.seen[static_cast<std::size_t>(rounds)] = heavy.written.load(std::memory_order_relaxed);
    }
  });
  while (light.written.load(std::memory_order_relaxed) == 0) backend::yield();
  for (int i = 1; i <= kHeavyRounds; ++i) {
    heavy.written.store(i, std::memory_order_relaxed);
    backend::heavy_fence();
    heavy.seen[static_cast<std::size_t>(i)] = light.written.load(std::memory_order_relaxed);
  }
  stops = true;
  other.join();
  // Of the first round that a light round has not seen, the heavy side must have seen that light round.
  int missed = 0;
  for (int i = 1; i <= rounds; ++i) {
    const int next = light.seen[static_cast<std::size_t>(i)] + 1;
    if (next <= kHeavyRounds && heavy.seen[static_cast<std::size_t>(next)] < i) ++missed;
  }
  EXPECT_EQ(missed, 0) << "of " << rounds;
}

TEST(Fence, LeavesErrnoAlone) {
  errno = EDOM;
  if (backend::has_heavy_fence()) backend::heavy_fence();
  EXPECT_EQ(errno, EDOM);
}

TEST(Fence, WorksInAForkedChild) {
  NEEDS_FENCES();
  expect_child(exited(0), "", [] {
    EXPECT_TRUE(backend::has_heavy_fence());
    backend::heavy_fence();
    EXPECT_TRUE(backend::has_heavy_fence()) << "it did not fail";
  });
}

// A sandbox that is put in place after the start: the fence that was promised still is one, and the last. It is a wait
// then, whose length is what it promises.
TEST(Fence, IsNotPromisedAgainOnceItIsRefused) {
  NEEDS_FENCES();
  constexpr int kNoFilters = 42;
  const ChildResult result = run_child([] {
    if (!refuse_membarrier()) std::exit(kNoFilters);
    errno = EDOM;
    const std::int64_t before = backend::monotonic_now();
    backend::heavy_fence();
    EXPECT_GE(backend::monotonic_now() - before, 1'000'000);
    EXPECT_EQ(errno, EDOM);
    EXPECT_FALSE(backend::has_heavy_fence());
  });
  if (result.ending == exited(kNoFilters)) GTEST_SKIP() << "no filters for system calls here";
  EXPECT_EQ(result.ending, exited(0)) << result.err;
}

}  // namespace
