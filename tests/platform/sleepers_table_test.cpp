// SPDX-License-Identifier: MIT
//
// The kernel's table of sleeping threads: a process on few processors gets a larger one, before its second thread
// comes, and nobody's own choice is overruled.
#include <sys/prctl.h>

#include <cerrno>
#include <cstdlib>
#include <thread>

#include "platform/fork.hpp"
#include "platform/futex.hpp"
#include "platform/os_thread.hpp"
#include "support/support.hpp"

namespace {

using namespace support;
namespace platform = threading::platform;

constexpr int kOurs = 512;

// PR_FUTEX_HASH, as in src/platform/futex.cpp. 0: the process has no table.
int slots() { return prctl(78, 2ul, 0ul, 0ul, 0ul); }
int set_slots(unsigned long count) { return prctl(78, 1ul, count, 0ul, 0ul); }

void start_and_join() {
  platform::OsThread thread;
  const auto main = [](void*) -> void* { return nullptr; };
  ASSERT_TRUE(platform::start_os_thread(thread, main, nullptr, 0));
  platform::join_os_thread(thread);
}

class SleepersTable : public testing::Test {
 protected:
  // Where all rooms are linked, one of them asks to be told of forks.
  static void SetUpTestSuite() { platform::on_fork(platform::ForkRoom::parking, {}); }

  void SetUp() override {
    if (!children_may_start_threads())
      GTEST_SKIP() << "a race detector or an emulator ends a child that starts threads";
    const ChildResult result = run_child([] { std::exit(set_slots(16) == 0 && slots() == 16 ? 0 : 1); });
    if (result.ending != exited(0)) GTEST_SKIP() << "this kernel has no table for each process";
    if (std::thread::hardware_concurrency() * 4 >= kOurs) GTEST_SKIP() << "the kernel's own is as large here";
  }
  // In a process of its own, which has one thread and no table.
  template <class F>
  static void in_child(F body) {
    expect_child(exited(0), "", [&] {
      ASSERT_EQ(slots(), 0);
      body();
    });
  }
};

TEST_F(SleepersTable, IsLargerFromTheStart) { EXPECT_EQ(slots(), kOurs); }

TEST_F(SleepersTable, IsLargerInAForkedChildWhenTheLibraryStartsAThread) {
  in_child([] {
    start_and_join();
    EXPECT_EQ(slots(), kOurs);
  });
}

TEST_F(SleepersTable, IsMadeForThreadsThatNobodyJoins) {
  in_child([] {
    ASSERT_TRUE(platform::start_detached_os_thread([](void*) -> void* { return nullptr; }));
    EXPECT_EQ(slots(), kOurs);
  });
}

// To exchange it would take long.
TEST_F(SleepersTable, IsLeftAloneWhereThereAreThreadsAlready) {
  in_child([] {
    Bunch(1, [] {}).join();
    const int before = slots();
    ASSERT_GT(before, 0);
    start_and_join();
    EXPECT_EQ(slots(), before);
  });
}

TEST_F(SleepersTable, IsLeftAsTheProgramWantsIt) {
  for (const unsigned long chosen : {64ul, 1'024ul, 0ul}) {  // 0: the table of all processes
    in_child([chosen] {
      ASSERT_EQ(set_slots(chosen), 0);
      start_and_join();
      EXPECT_EQ(slots(), static_cast<int>(chosen));
    });
  }
}

TEST_F(SleepersTable, IsMadeWithoutATraceInErrno) {
  in_child([] {
    errno = EDOM;
    platform::make_room_for_sleepers();
    EXPECT_EQ(errno, EDOM);
    platform::make_room_for_sleepers();
    EXPECT_EQ(slots(), kOurs);
  });
}

}  // namespace
