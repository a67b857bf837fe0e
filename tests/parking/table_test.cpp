// SPDX-License-Identifier: MIT
//
// Address → bucket, and the locks around one or two of them.
#include "parking/table.hpp"

#include <array>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "support/support.hpp"

namespace {

using namespace support;
using threading::parking::Bucket;
using threading::parking::bucket_of;
using threading::parking::kBuckets;
using threading::parking::LockedBucket;
using threading::parking::LockedBuckets;
using threading::parking::table;

static_assert(alignof(Bucket) >= 64, "buckets that share a cache line slow each other down");

TEST(Table, GivesAnAddressAlwaysTheSameBucketInsideTheTable) {
  std::array<int, 100> objects{};
  for (const int& object : objects) {
    Bucket& bucket = bucket_of(&object);
    EXPECT_EQ(&bucket, &bucket_of(&object));
    EXPECT_GE(&bucket, &table[0]);
    EXPECT_LE(&bucket, &table[kBuckets - 1]);
  }
}

// Neighbours in an array, the usual layout of many locks, spread: no bucket gets more than a few of 4,096.
TEST(Table, SpreadsNeighbours) {
  for (const std::size_t stride : {4u, 8u, 64u, 4096u}) {
    std::map<const Bucket*, int> load;
    for (std::size_t i = 0; i < 4096; ++i) {
      ++load[&bucket_of(reinterpret_cast<const void*>(std::uintptr_t{0x7f001000} + i * stride))];
    }
    int heaviest = 0;
    for (const auto& [bucket, count] : load) heaviest = std::max(heaviest, count);
    EXPECT_LE(heaviest, 16) << "stride " << stride;
  }
}

const void* another_in_the_bucket_of(const void* key) {
  for (auto address = reinterpret_cast<std::uintptr_t>(key) + 4;; address += 4) {
    const auto* candidate = reinterpret_cast<const void*>(address);
    if (&bucket_of(candidate) == &bucket_of(key)) return candidate;
  }
}

// Two keys in one bucket lock it once, or the thread would wait for itself.
TEST(LockedBuckets, LocksASharedBucketOnce) {
  const int object = 0;
  const void* const other = another_in_the_bucket_of(&object);
  {
    const LockedBuckets both(&object, other);
    EXPECT_EQ(&both.first(), &both.second());
  }
  const LockedBucket again(&object);
}

TEST(LockedBuckets, KeepsTheRolesOfItsKeys) {
  std::array<int, 64> objects{};
  for (const int& object : objects) {
    const LockedBuckets both(&object, &objects[0]);
    EXPECT_EQ(&both.first(), &bucket_of(&object));
    EXPECT_EQ(&both.second(), &bucket_of(&objects[0]));
  }
}

// Opposite orders of the same two keys do not deadlock.
TEST(LockedBuckets, LocksInOneOrderWhateverTheRoles) {
  const auto a = std::make_unique<int>();
  auto b = std::make_unique<std::array<int, 1000>>();
  std::int64_t counter = 0;
  const int each = rounds(20'000);
  Bunch bunch(4, [&](int index) {
    for (int i = 0; i < each; ++i) {
      const void* const there = &(*b)[static_cast<std::size_t>(i % 1000)];
      if (index % 2 == 0) {
        const LockedBuckets both(a.get(), there);
        ++counter;
      } else {
        const LockedBuckets both(there, a.get());
        ++counter;
      }
    }
  });
  bunch.join();
  EXPECT_EQ(counter, std::int64_t{each} * 4);
}

}  // namespace
