// SPDX-License-Identifier: MIT
//
// The program that hangs within seconds on std::counting_semaphore of GCC 12: two producers, two consumers, one unit at
// a time. A release there skips the wake while a waiter that has just lost a race goes to sleep.
#include <threading/semaphore.hpp>

#include "stress/stress.hpp"

namespace {

using namespace stress;

template <class S>
class TwoByTwo : public testing::Test {};
using Kinds = testing::Types<Semaphore, BoundedSemaphore>;
TYPED_TEST_SUITE(TwoByTwo, Kinds);

// Each side does the same number of steps, so that everybody can finish.
TYPED_TEST(TwoByTwo, ProducersAndConsumersNeverHang) {
  const Budget budget;
  std::int64_t total = 0;
  while (budget.left()) {
    constexpr int kSlots = 2;
    TypeParam free_slots(kSlots);
    TypeParam items(kSlots);
    for (int i = 0; i < kSlots; ++i) items.acquire();
    const int each = rounds(50'000);
    std::atomic<int> in_flight{0};
    Bunch bunch(4, [&](int index) {
      for (int i = 0; i < each; ++i) {
        if (index % 2 == 0) {
          free_slots.acquire();
          ASSERT_LE(++in_flight, kSlots);
          items.release();
        } else {
          items.acquire();
          ASSERT_GE(--in_flight, 0);
          free_slots.release();
        }
      }
    });
    bunch.join();
    EXPECT_EQ(free_slots.value(), kSlots);
    EXPECT_EQ(items.value(), 0);
    total += 2 * each;
  }
  record("items", total);
}

}  // namespace
