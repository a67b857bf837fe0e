// SPDX-License-Identifier: MIT
//
// Threads that the library did not start, and threads that end in unusual ways.
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <threading/condition.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/thread.hpp>
#include <threading/with.hpp>

#include "support/errors.hpp"
#include "support/support.hpp"

namespace {

using support::eventually;
using support::expect_error;
using threading::Event;
using threading::Thread;

bool is_listed(const Thread& wanted) {
  const std::vector<Thread> all = threading::enumerate();
  return std::find(all.begin(), all.end(), wanted) != all.end();
}

TEST(Foreign, UsingTheLibraryDoesNotMakeADummy) {
  threading::Lock lock;
  std::size_t count = 0;
  std::thread([&] {
    threading::With hold(lock);
    count = threading::active_count();
  }).join();
  EXPECT_EQ(count, 1u);
}

TEST(Foreign, CurrentThreadMakesADummyThatVanishesWithTheThread) {
  std::optional<Thread> dummy;
  std::thread([&] {
    dummy = threading::current_thread();
    EXPECT_EQ(*dummy, threading::current_thread());
    EXPECT_TRUE(dummy->name().starts_with("Dummy-"));
    EXPECT_TRUE(dummy->is_alive());
    EXPECT_TRUE(dummy->daemon());
    EXPECT_EQ(dummy->ident(), threading::get_ident());
    EXPECT_EQ(dummy->native_id(), gettid());
    EXPECT_TRUE(is_listed(*dummy));
    expect_error<threading::RuntimeError>("cannot join a dummy thread", [&] { dummy->join(); });
    expect_error<threading::RuntimeError>("threads can only be started once", [&] { dummy->start(); });
    EXPECT_TRUE(Thread([] {}).daemon()) << "its children inherit";
  }).join();
  EXPECT_FALSE(dummy->is_alive());
  EXPECT_FALSE(is_listed(*dummy));
  expect_error<threading::RuntimeError>("cannot join a dummy thread", [&] { dummy->join(); });
}

// A destructor cannot tell anybody that there is no way to wait for it.
TEST(Foreign, JoiningLeavesADummyAlone) {
  Event is_known;
  Event may_end;
  std::optional<Thread> dummy;
  std::thread foreign([&] {
    dummy = threading::current_thread();
    is_known.set();
    may_end.wait();
  });
  is_known.wait();
  { const threading::Joining scope(*dummy); }
  EXPECT_TRUE(dummy->is_alive());
  EXPECT_TRUE(dummy->stop_source().stop_requested());
  may_end.set();
  foreign.join();
}

TEST(Foreign, DummiesAndDefaultNamesShareOneCounter) {
  std::string dummy;
  const int before = std::stoi(Thread([] {}).name().substr(7));
  std::thread([&] { dummy = threading::current_thread().name(); }).join();
  EXPECT_EQ(dummy, "Dummy-" + std::to_string(before + 1));
}

TEST(Foreign, ManyComeAndGo) {
  for (int round = 0; round < support::rounds(100); ++round) {
    support::Bunch(4, [] { threading::current_thread(); }).join();
    ASSERT_EQ(threading::active_count(), 1u);
  }
}

// What a thread-local destructor does at the very end of a thread: everything.
struct AtTheEnd {
  explicit AtTheEnd(std::atomic<int>& done) : done_(done) {}
  ~AtTheEnd() {
    threading::Lock lock;
    threading::With hold(lock);
    threading::Condition condition;
    threading::With hold_too(condition);
    condition.wait(support::kShortDelay);
    EXPECT_FALSE(threading::current_thread().name().empty());
    EXPECT_GE(threading::active_count(), 1u);
    ++done_;
  }
  std::atomic<int>& done_;
};

TEST(ThreadEnd, ThreadLocalDestructorsMayUseTheLibrary) {
  std::atomic<int> done = 0;
  const auto use = [&] {
    static thread_local std::optional<AtTheEnd> at_the_end;
    at_the_end.emplace(done);
  };
  threading::spawn(use).join();
  std::thread(use).join();
  EXPECT_EQ(done, 2);
  EXPECT_EQ(threading::active_count(), 1u);
}

TEST(ThreadEnd, DestructorsOfThreadSpecificKeysMayUseTheLibrary) {
  static std::atomic<int> done;
  done = 0;
  pthread_key_t key{};
  pthread_key_create(&key, [](void*) {
    threading::Lock lock;
    threading::With hold(lock);
    ++done;
  });
  const auto use = [&] { pthread_setspecific(key, &done); };
  threading::spawn(use).join();
  std::thread(use).join();
  pthread_key_delete(key);
  EXPECT_EQ(done, 2);
}

TEST(ThreadEnd, PthreadExitUnwindsTheTargetAndIsNoException) {
  std::atomic<int> unwound = 0;
  struct Guard {
    std::atomic<int>& count;
    ~Guard() { ++count; }
  };
  Thread thread = threading::spawn([&] {
    const Guard guard{unwound};
    pthread_exit(nullptr);
  });
  thread.join();
  EXPECT_EQ(unwound, 1);
  EXPECT_FALSE(thread.is_alive());
  EXPECT_FALSE(thread.exception());
}

TEST(ThreadEnd, CancellationEndsTheThread) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the address sanitizer takes the frames that a cancelled system call leaves for live ones";
#endif
  std::atomic<bool> ready = false;
  Thread thread = threading::spawn([&] {
    ready = true;
    for (;;) pause();
  });
  ASSERT_TRUE(eventually([&] { return ready.load(); }));
  pthread_cancel(static_cast<pthread_t>(*thread.ident()));
  thread.join();
  EXPECT_FALSE(thread.is_alive());
}

// A wait that were left by a forced unwind would leave its node in the queue.
TEST(ThreadEnd, CancellationWaitsUntilAWaitIsOver) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the address sanitizer takes the frames that a cancelled thread leaves for live ones";
#endif
  threading::Event waits;
  threading::Event gate;
  bool was_over = false;
  bool went_on = false;
  Thread thread = threading::spawn([&] {
    waits.set();
    gate.wait();
    was_over = true;
    pthread_testcancel();
    went_on = true;
  });
  waits.wait();
  pthread_cancel(static_cast<pthread_t>(*thread.ident()));
  gate.set();
  thread.join();
  EXPECT_TRUE(was_over);
  EXPECT_FALSE(went_on);
}

}  // namespace
