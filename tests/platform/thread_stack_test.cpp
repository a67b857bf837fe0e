// SPDX-License-Identifier: MIT
//
// The stacks that are kept for the next thread, through the threads that get them.
#include "platform/thread_stack.hpp"

#include <pthread.h>

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

TEST(ThreadStack, HasAGuardBelow) {
  const Extent stack = stack_of_a_new_thread();
  std::ifstream maps("/proc/self/maps");
  std::string line;
  bool found = false;
  while (std::getline(maps, line)) {
    const std::uintptr_t end = std::stoull(line.substr(line.find('-') + 1), nullptr, 16);
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

// What is written on a stack stays what it is until its thread is gone, although nobody joins.
TEST(ThreadStack, OfAThreadThatIsNotJoinedIsNotUsedTooEarly) {
  static std::atomic<int> ended;
  static std::atomic<int> spoilt;
  static std::atomic<std::uint64_t> handle;
  static std::atomic<std::uint32_t> slot;
  ended = spoilt = 0;
  const int threads = rounds(500);
  for (int i = 0; i != threads; ++i) {
    handle = 0;
    const OsThread thread = started(
        [](void*) -> void* {
          while (handle == 0) std::this_thread::yield();
          volatile unsigned char text[4096];
          const auto mine = static_cast<unsigned char>(ended.load());
          for (volatile unsigned char& byte : text) byte = mine;
          threading::platform::leave_os_thread({.handle = handle, .stack = slot});
          for (const volatile unsigned char& byte : text) spoilt += byte != mine;
          ++ended;
          return nullptr;
        },
        nullptr);
    slot = thread.stack;
    handle = thread.handle;
    eventually([&] { return ended == i + 1; });
  }
  EXPECT_EQ(spoilt, 0);
}

}  // namespace
