// SPDX-License-Identifier: MIT
//
// The stacks that are kept for the next thread, through the threads that get them.
#include "platform/thread_stack.hpp"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "platform/os_thread.hpp"
#include "support/support.hpp"

namespace {

using namespace support;
using threading::platform::OsThread;

struct Extent {
  std::uintptr_t lowest = 0;
  std::size_t size = 0;
};

Extent my_stack() {
  pthread_attr_t attributes;
  EXPECT_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
  void* lowest = nullptr;
  Extent extent;
  EXPECT_EQ(pthread_attr_getstack(&attributes, &lowest, &extent.size), 0);
  pthread_attr_destroy(&attributes);
  extent.lowest = reinterpret_cast<std::uintptr_t>(lowest);
  return extent;
}

OsThread started(threading::platform::OsThreadMain main, void* argument) {
  OsThread thread;
  EXPECT_TRUE(threading::platform::start_os_thread(thread, main, argument, 0));
  return thread;
}

Extent stack_of_a_new_thread() {
  Extent extent;
  const OsThread thread = started(
      [](void* found) -> void* {
        *static_cast<Extent*>(found) = my_stack();
        return nullptr;
      },
      &extent);
  threading::platform::join_os_thread(thread);
  return extent;
}

std::size_t default_size() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  std::size_t size = 0;
  pthread_attr_getstacksize(&attributes, &size);
  pthread_attr_destroy(&attributes);
  return size;
}

TEST(ThreadStack, IsUsedAgainAfterTheJoin) {
  const Extent first = stack_of_a_new_thread();
  EXPECT_EQ(stack_of_a_new_thread().lowest, first.lowest);
}

TEST(ThreadStack, IsAsLargeAsTheSystemsDefault) { EXPECT_EQ(stack_of_a_new_thread().size, default_size()); }

// A program may change the default while it runs.
TEST(ThreadStack, FollowsTheSystemsDefault) {
  pthread_attr_t before;
  ASSERT_EQ(pthread_getattr_default_np(&before), 0);
  const std::size_t other = default_size() / 2;
  pthread_attr_t changed = before;
  ASSERT_EQ(pthread_attr_setstacksize(&changed, other), 0);
  ASSERT_EQ(pthread_setattr_default_np(&changed), 0);
  EXPECT_EQ(stack_of_a_new_thread().size, other);
  EXPECT_EQ(pthread_setattr_default_np(&before), 0);
  EXPECT_EQ(stack_of_a_new_thread().size, 2 * other);
  pthread_attr_destroy(&before);
}

TEST(ThreadStack, HasAGuardBelow) {
  const Extent stack = stack_of_a_new_thread();
  std::ifstream maps("/proc/self/maps");
  std::string line;
  bool found = false;
  while (std::getline(maps, line)) {
    const unsigned long long end = std::stoull(line.substr(line.find('-') + 1), nullptr, 16);
    if (end != stack.lowest) continue;
    found = true;
    EXPECT_NE(line.find(" ---p "), std::string::npos) << line;
  }
  EXPECT_TRUE(found);
}

struct Crowd {
  std::atomic<int> arrived{0};
  std::atomic<bool> may_go{false};
};

// More than are kept: the others get the C library's.
TEST(ThreadStack, IsThereForMoreThreadsThanAreKept) {
  constexpr int kThreads = 150;
  Crowd crowd;
  std::vector<OsThread> threads;
  for (int i = 0; i != kThreads; ++i) {
    threads.push_back(started(
        [](void* argument) -> void* {
          auto& joined = *static_cast<Crowd*>(argument);
          ++joined.arrived;
          joined.may_go.wait(false);
          return nullptr;
        },
        &crowd));
  }
  eventually([&] { return crowd.arrived == kThreads; });
  crowd.may_go = true;
  crowd.may_go.notify_all();
  for (const OsThread& thread : threads) threading::platform::join_os_thread(thread);
}

// A thread that nobody joins gives its stack up while it still runs on it. Among as many threads as there are stacks,
// and some more, none gets that one before it is gone.
TEST(ThreadStack, OfAThreadThatIsNotJoinedIsNotUsedTooEarly) {
  struct Leaver {
    std::atomic<std::uint64_t> handle{0};
    std::atomic<std::uint32_t> slot{0};
    std::atomic<std::uintptr_t> lowest{0};
    std::atomic<bool> has_left{false};
    std::atomic<bool> may_end{false};
    std::atomic<bool> ends{false};
  };
  static Leaver leaver;
  leaver.handle = leaver.lowest = 0;
  leaver.has_left = leaver.may_end = leaver.ends = false;
  const OsThread thread = started(
      [](void*) -> void* {
        leaver.handle.wait(0);
        leaver.lowest = my_stack().lowest;
        threading::platform::leave_os_thread({.handle = leaver.handle, .stack = leaver.slot});
        leaver.has_left = true;
        leaver.may_end.wait(false);
        leaver.ends = true;
        return nullptr;
      },
      nullptr);
  ASSERT_NE(thread.stack, 0u);
  leaver.slot = thread.stack;
  leaver.handle = thread.handle;
  leaver.handle.notify_all();
  ASSERT_TRUE(eventually([] { return leaver.has_left.load(); }));

  static std::atomic<int> arrived;
  static std::atomic<int> on_that_stack;
  static std::atomic<bool> may_go;
  arrived = on_that_stack = 0;
  may_go = false;
  std::vector<OsThread> threads;
  constexpr int kThreads = 70;
  for (int i = 0; i != kThreads; ++i) {
    threads.push_back(started(
        [](void*) -> void* {
          on_that_stack += my_stack().lowest == leaver.lowest;
          ++arrived;
          may_go.wait(false);
          return nullptr;
        },
        nullptr));
  }
  EXPECT_TRUE(eventually([] { return arrived == kThreads; }));
  EXPECT_EQ(on_that_stack, 0);
  may_go = true;
  may_go.notify_all();
  for (const OsThread& each : threads) threading::platform::join_os_thread(each);
  leaver.may_end = true;
  leaver.may_end.notify_all();
  EXPECT_TRUE(eventually([] { return leaver.ends.load(); }));
}

TEST(ThreadStack, OfAnotherSizeIsMadeAnew) {
  constexpr std::size_t kMiB = std::size_t{1} << 20;
  const auto guard = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const auto small = threading::platform::take_stack(kMiB, guard);
  ASSERT_NE(small.slot, 0u);
  EXPECT_EQ(small.size, kMiB);
  threading::platform::give_back_stack(small.slot);
  const auto large = threading::platform::take_stack(2 * kMiB, guard);
  EXPECT_EQ(large.slot, small.slot) << "last in, first out";
  ASSERT_EQ(large.size, 2 * kMiB);
  static_cast<char*>(large.lowest)[0] = static_cast<char*>(large.lowest)[large.size - 1] = 1;
  threading::platform::give_back_stack(large.slot);
}

}  // namespace
