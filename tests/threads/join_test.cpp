// SPDX-License-Identifier: MIT
//
// Waiting for the end of a thread: by one, by many, with bounds, and what must be over by then.
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include <threading/dump.hpp>
#include <threading/embedding.hpp>
#include <threading/event.hpp>
#include <threading/local.hpp>
#include <threading/lock.hpp>
#include <threading/thread.hpp>

#include "support/errors.hpp"
#include "support/support.hpp"

namespace {

using namespace std::chrono_literals;
using support::eventually;
using support::expect_error;
using threading::Event;
using threading::Thread;

// How many threads wait for the end of any thread.
int joiners() {
  int count = 0;
  for (const threading::ThreadInfo& info : threading::snapshot()) {
    count += info.wait && info.wait->kind == "Thread" ? 1 : 0;
  }
  return count;
}

bool os_thread_exists(threading::NativeId id) {
  return std::filesystem::exists("/proc/self/task/" + std::to_string(id));
}

TEST(Join, ReturnsOnlyWhenTheOsThreadIsGone) {
#if defined(THREADING_TEST_EMULATED)
  GTEST_SKIP() << "the emulator's own thread ends later than the one it emulates";
#endif
  for (int round = 0; round < support::rounds(100); ++round) {
    threading::NativeId id = 0;
    Thread thread = threading::spawn([&] { id = gettid(); });
    if (round % 2 == 0) {
      thread.join();
    } else {
      ASSERT_TRUE(thread.join(support::kLongDelay));
    }
    // The kernel lets who joins go a moment before it takes the thread off its list.
    ASSERT_TRUE(support::eventually([&] { return !os_thread_exists(id); }));
  }
}

TEST(Join, ReturnsOnlyWhenThreadLocalObjectsAreDestroyed) {
  static std::atomic<int> destroyed;
  struct Slow {
    ~Slow() {
      Event never;
      never.wait(support::kShortDelay);  // a destructor of a thread_local object may block in the library
      ++destroyed;
    }
  };
  destroyed = 0;
  threading::local<Slow> ours;
  Thread thread = threading::spawn([&] {
    static thread_local Slow theirs;
    static_cast<void>(&theirs);
    ours.get();
  });
  thread.join();
  EXPECT_EQ(destroyed, 2);
}

TEST(Join, MayBeRepeatedAndKeepsReturningTrue) {
  Thread thread = threading::spawn([] {});
  thread.join();
  thread.join();
  EXPECT_TRUE(thread.join(threading::no_wait));
  EXPECT_TRUE(thread.join(-1.0)) << "a negative number has passed, and the thread has ended";
  EXPECT_TRUE(thread.join(1h));
}

TEST(Join, IsFalseAfterItsTimeout) {
  Event go;
  Thread thread = threading::spawn([&] { go.wait(); });
  EXPECT_FALSE(thread.join(threading::no_wait));
  EXPECT_FALSE(thread.join(-5.0));
  EXPECT_FALSE(thread.join(std::chrono::steady_clock::now() - 1h));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(thread.join(support::kShortDelay));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, support::kShortDelay);
  EXPECT_TRUE(thread.is_alive());
  go.set();
  EXPECT_TRUE(thread.join(support::kLongDelay));
}

TEST(Join, ManyThreadsWithAndWithoutBoundsAllReturn) {
  for (int round = 0; round < support::rounds(30); ++round) {
    Event go;
    Thread thread = threading::spawn([&] { go.wait(); });
    std::atomic<int> returned = 0;
    support::Bunch bunch(6, [&](int index) {
      if (index % 3 == 0) {
        thread.join();
        ++returned;
      } else if (index % 3 == 1) {
        returned += thread.join(support::kLongDelay) ? 1 : 0;
      } else {
        std::stop_source never;
        returned += thread.join(threading::forever, never.get_token()) ? 1 : 0;
      }
    });
    ASSERT_TRUE(eventually([] { return joiners() == 6; }));
    go.set();
    bunch.join();
    ASSERT_EQ(returned, 6);
  }
}

TEST(Join, ManyThreadsRaceTheEnd) {
  for (int round = 0; round < support::rounds(200); ++round) {
    Thread thread([] {});
    std::atomic<int> returned = 0;
    support::Bunch bunch(3, [&](int index) {
      if (index == 0) thread.start();
      while (!thread.ident()) std::this_thread::yield();
      if (index == 1) {
        thread.join();
        ++returned;
      } else {
        returned += thread.join(support::kLongDelay) ? 1 : 0;
      }
    });
    bunch.join();
    ASSERT_EQ(returned, 3);
  }
}

TEST(Join, ATimeoutOfOneJoinerLeavesTheOthersWaiting) {
  Event go;
  Thread thread = threading::spawn([&] { go.wait(); });
  std::atomic<int> returned = 0;
  support::Bunch others(2, [&](int index) {
    index == 0 ? thread.join() : static_cast<void>(thread.join(support::kLongDelay));
    ++returned;
  });
  ASSERT_TRUE(eventually([] { return joiners() == 2; }));
  EXPECT_FALSE(thread.join(support::kShortDelay));
  EXPECT_EQ(returned, 0);
  go.set();
  others.join();
  EXPECT_EQ(returned, 2);
}

TEST(Join, IsEndedByAStopRequest) {
  Event go;
  std::stop_source source;
  Thread thread = threading::spawn([&] { go.wait(); });
  std::atomic<bool> joined = true;
  support::Bunch joiner(1, [&] { joined = thread.join(threading::forever, source.get_token()); });
  ASSERT_TRUE(eventually([] { return joiners() == 1; }));
  source.request_stop();
  joiner.join();
  EXPECT_FALSE(joined);
  go.set();
  thread.join();
  EXPECT_TRUE(thread.join(threading::forever, source.get_token())) << "succeeds without blocking, stop or not";
}

TEST(Join, OfItselfIsRefusedAlsoThroughAHandle) {
  Thread thread([] {});
  std::optional<Thread> self;
  thread = Thread([&] {
    expect_error<threading::DeadlockError>("cannot join current thread", [&] { self->join(); });
    expect_error<threading::DeadlockError>("cannot join current thread", [] { threading::current_thread().join(1s); });
  });
  self = thread;
  thread.start();
  thread.join();
  expect_error<threading::DeadlockError>("cannot join current thread", [] { threading::main_thread().join(); });
}

TEST(Join, OfAThreadThatWasNotStartedIsRefused) {
  const Thread thread([] {});
  expect_error<threading::RuntimeError>("cannot join thread before it is started", [&] { thread.join(); });
  expect_error<threading::RuntimeError>("cannot join thread before it is started",
                                        [&] { static_cast<void>(thread.join(threading::no_wait)); });
}

TEST(Join, OfABadTimeoutThrowsAndTheThreadStaysJoinable) {
  Thread thread = threading::spawn([] {});
  expect_error<threading::ValueError>("Invalid value NaN (not a number)",
                                      [&] { static_cast<void>(thread.join(std::nan(""))); });
  expect_error<threading::OverflowError>("timestamp out of range for C PyTime_t",
                                         [&] { static_cast<void>(thread.join(1e100)); });
  thread.join();
}

TEST(Join, IsShownByTheDumpWithTheThreadItWaitsFor) {
  Event go;
  Thread thread = threading::spawn({.name = "worker"}, [&] { go.wait(); });
  Thread joiner = threading::spawn({.name = "joiner"}, [&] { thread.join(); });
  const auto held_by = []() -> std::string {
    for (const threading::ThreadInfo& info : threading::snapshot()) {
      if (info.name == "joiner" && info.wait && info.wait->kind == "Thread") return info.wait->held_by;
    }
    return "";
  };
  EXPECT_TRUE(eventually([&] { return held_by() == "worker"; }));
  go.set();
  joiner.join();
}

TEST(Join, InterruptedByASignalHandlerSaysSoToAnEmbedder) {
#if defined(THREADING_PARKER_CONDVAR)
  GTEST_SKIP() << "the condvar parker reports no signals";
#else
  Event go;
  Thread thread = threading::spawn([&] { go.wait(); });
  struct sigaction action {};
  action.sa_handler = [](int) {};
  sigaction(SIGUSR1, &action, nullptr);
  std::atomic<pthread_t> joiner{};
  std::atomic<bool> interrupted = false;
  support::Bunch bunch(1, [&] {
    joiner = pthread_self();
    interrupted =
        threading::Embedding::join(thread, {.interruptible = true}) == threading::Embedding::Outcome::interrupted;
  });
  ASSERT_TRUE(eventually([] { return joiners() == 1; }));
  ASSERT_TRUE(eventually([&] {
    if (bunch.finished() == 0) pthread_kill(joiner, SIGUSR1);
    return bunch.finished() == 1;
  }));
  bunch.join();
  EXPECT_TRUE(interrupted);
  EXPECT_TRUE(thread.is_alive());
  go.set();
  thread.join();
#endif
}

TEST(Join, IsNotNeeded) {
  // Threads that nobody joins end, are freed, and leave nothing behind that a thousand of them would exhaust.
  for (int i = 0; i < support::rounds(1000); ++i) {
    threading::spawn([] {});
    if (i % 100 == 99) {
      ASSERT_TRUE(eventually([] { return threading::active_count() == 1; }));
    }
  }
}

TEST(Join, TheLastHandleMayGoAtAnyMoment) {
  for (int round = 0; round < support::rounds(300); ++round) {
    std::optional<Thread> thread = threading::spawn([] {});
    if (round % 3 == 0) {
      ASSERT_TRUE(eventually([&] { return !thread->is_alive(); }));
    } else if (round % 3 == 1) {
      std::this_thread::yield();
    }
    thread.reset();
  }
}

}  // namespace
