// SPDX-License-Identifier: MIT
//
// What the lot tells about those who wait.
#include "parking/inspect.hpp"

#include <array>
#include <set>

#include "parking/lot_fixture.hpp"

namespace {

using namespace lot_test;
using parking::collect_waiters;
using parking::WaitRecord;

using Inspect = LotTest;

ThreadToken owner_of_everything(const void*) noexcept { return 77; }
constexpr WaitKind kOwned{"Owned", &owner_of_everything};

TEST_F(Inspect, FindsNobodyInAnEmptyLot) { EXPECT_EQ(collect_waiters(nullptr, 0), 0u); }

TEST_F(Inspect, TellsWhoWaitsForWhatSinceWhenAndHowLong) {
  const std::int64_t before = detail::backend::monotonic_now();
  const Deadline deadline = Deadline::after(1'000'000'000'000);
  std::atomic<ThreadToken> token{0};
  threads_.add([&] {
    token = detail::backend::per_thread().token;
    static_cast<void>(park(&key_, kOwned,
                           [&]() noexcept {
                             token = detail::backend::per_thread().token;
                             return true;
                           },
                           kNothing, kIgnore, {.deadline = deadline}));
  });
  ASSERT_TRUE(eventually([&] { return waiters_at(&key_) == 1; }));
  WaitRecord record{};
  ASSERT_EQ(collect_waiters(&record, 1), 1u);
  EXPECT_EQ(record.thread, token);
  EXPECT_NE(record.thread, 0u);
  EXPECT_STREQ(record.kind, "Owned");
  EXPECT_EQ(record.object, &key_);
  EXPECT_EQ(record.owner, 77u);
  EXPECT_GE(record.since, before);
  EXPECT_LE(record.since, detail::backend::monotonic_now());
  EXPECT_EQ(record.deadline, deadline);
  unpark_one(&key_);
}

// A kind without an owner shows none.
TEST_F(Inspect, ShowsNoOwnerWhereTheKindHasNone) {
  park_thread(&key_, 0);
  WaitRecord record{};
  ASSERT_EQ(collect_waiters(&record, 1), 1u);
  EXPECT_EQ(record.owner, 0u);
  EXPECT_TRUE(record.deadline.is_never());
  unpark_one(&key_);
}

// More waiters than room: it writes what fits and tells how many there are.
TEST_F(Inspect, CountsThoseThatDoNotFit) {
  park_threads(&key_, 0, 3);
  park_threads(&other_, 3, 2);
  std::array<WaitRecord, 3> records{};
  records[2].kind = "untouched";
  EXPECT_EQ(collect_waiters(records.data(), 2), 5u);
  EXPECT_STREQ(records[1].kind, "Test");
  EXPECT_STREQ(records[2].kind, "untouched");
  std::array<WaitRecord, 5> all{};
  EXPECT_EQ(collect_waiters(all.data(), all.size()), 5u);
  std::set<ThreadToken> threads;
  for (const WaitRecord& record : all) threads.insert(record.thread);
  EXPECT_EQ(threads.size(), 5u);
  unpark_all(&key_);
  unpark_all(&other_);
}

// Looking does not disturb: records are taken while threads come and go.
TEST_F(Inspect, MayRunWhileThreadsComeAndGo) {
  std::atomic<bool> done{false};
  Bunch bunch;
  for (int i = 0; i < 2; ++i) {
    bunch.add([&] {
      while (!done) static_cast<void>(park_simply(&key_, {.deadline = Deadline::after(2'000)}));
    });
  }
  bunch.add([&] {
    while (!done) {
      if (unpark_all(&key_) == 0) std::this_thread::yield();
    }
  });
  std::array<WaitRecord, 8> records{};
  for (int i = 0; i < rounds(300); ++i) {
    const std::size_t count = collect_waiters(records.data(), records.size());
    ASSERT_LE(count, 2u);
    for (std::size_t k = 0; k < count; ++k) ASSERT_EQ(records[k].object, &key_);
  }
  done = true;
}

}  // namespace
