// SPDX-License-Identifier: MIT
//
// The adversary: threads that release and take back at once, so that the object is free only for moments. A mere
// "free it and wake the first" lets them win every time; what is expected to defeat them is the hand-over to those who
// have waited longer than kHandOverAfter. A starved thread shows as a hang.
#include <algorithm>
#include <array>

#include <threading/lock.hpp>
#include <threading/rlock.hpp>
#include <threading/semaphore.hpp>

#include "stress/stress.hpp"

namespace {

using namespace stress;

template <class L>
class Starvation : public testing::Test {
 protected:
  L object_;
};
using Kinds = testing::Types<Lock, RLock, Semaphore, BoundedSemaphore>;
TYPED_TEST_SUITE(Starvation, Kinds);

TYPED_TEST(Starvation, OfOneAgainstGreedyThreadsDoesNotHappen) {
  const Budget budget;
  std::atomic<bool> done{false};
  std::int64_t greedy = 0;  // guarded by object_
  Bunch adversaries(3, [&] {
    while (!done) {
      this->object_.acquire();
      ++greedy;
      for (int i = 0; i < 50; ++i) detail::backend::cpu_relax();
      this->object_.release();
    }
  });
  std::int64_t served = 0;
  std::chrono::nanoseconds longest{0};
  while (budget.left() || served < 100) {
    const auto start = std::chrono::steady_clock::now();
    this->object_.acquire();
    longest = std::max<std::chrono::nanoseconds>(longest, std::chrono::steady_clock::now() - start);
    this->object_.release();
    ++served;
  }
  done = true;
  adversaries.join();
  EXPECT_GE(served, 100);
  record("served", served);
  record("greedy", greedy);
  record("longest_wait_us", longest.count() / 1000);
}

// Many patient threads: each is served, none is passed over for ever.
TYPED_TEST(Starvation, OfManyDoesNotHappen) {
  const Budget budget;
  std::atomic<bool> done{false};
  Bunch adversary;
  adversary.add([&] {
    while (!done) {
      this->object_.acquire();
      this->object_.release();
    }
  });
  std::array<std::atomic<std::int64_t>, 6> served{};
  {
    Bunch patient(6, [&](int index) {
      auto& mine = served[static_cast<std::size_t>(index)];
      while (budget.left() || mine < 20) {
        this->object_.acquire();
        ++mine;
        this->object_.release();
      }
    });
  }
  done = true;
  std::int64_t fewest = served[0];
  for (const auto& count : served) fewest = std::min(fewest, count.load());
  EXPECT_GE(fewest, 20);
  record("fewest_served", fewest);
}

}  // namespace
