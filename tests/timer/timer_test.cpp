// SPDX-License-Identifier: MIT
//
// One property of a Timer each.
#include <threading/timer.hpp>

#include <sys/prctl.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <gtest/gtest.h>

#include <threading/dump.hpp>
#include <threading/event.hpp>
#include <threading/local.hpp>
#include <threading/lock.hpp>
#include <threading/with.hpp>

#include "support/errors.hpp"
#include "support/support.hpp"

namespace {

using namespace std::chrono_literals;
using support::eventually;
using support::expect_error;
using threading::Event;
using threading::Timer;
using Clock = std::chrono::steady_clock;

std::ptrdiff_t os_threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
}

// The OS threads that wait for timers, or run the functions of nameless ones.
int helpers() {
  int count = 0;
  std::error_code ignored;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", ignored)) {
    std::ifstream file(task.path() / "comm");
    std::string name;
    std::getline(file, name);
    count += name == "timers" ? 1 : 0;
  }
  return count;
}

TEST(Timer, CallsItsFunctionWithItsArgumentsAfterTheInterval) {
  std::atomic<int> sum = 0;
  Clock::time_point fired;
  Timer timer(
      support::kShortDelay,
      [&](int a, std::unique_ptr<int> b) {
        fired = Clock::now();
        sum = a + *b;
      },
      1, std::make_unique<int>(2));
  const auto begin = Clock::now();
  timer.start();
  EXPECT_TRUE(timer.join(support::kLongDelay));
  EXPECT_EQ(sum, 3);
  EXPECT_GE(fired - begin, support::kShortDelay) << "never early";
}

TEST(Timer, IsNeverEarlyAndKeepsTheOrderOfDeadlines) {
  std::vector<Clock::duration> early;
  std::vector<Timer> timers;
  threading::Lock lock;
  for (int i = 0; i < 200; ++i) {
    const auto due = Clock::now() + std::chrono::microseconds(137 * ((i * 71) % 200));
    timers.emplace_back(due, [&, due] {
      if (Clock::now() >= due) return;
      threading::With hold(lock);
      early.push_back(due - Clock::now());
    });
    timers.back().start();
  }
  for (const Timer& timer : timers) EXPECT_TRUE(timer.join(support::kLongDelay));
  EXPECT_TRUE(early.empty());
}

TEST(Timer, OfAPastTimeFiresAtOnce) {
  for (const threading::Timeout interval :
       {threading::Timeout(0.0), threading::Timeout(-5.0), threading::Timeout(Clock::now() - 1h), threading::no_wait}) {
    bool fired = false;
    Timer timer(interval, [&] { fired = true; });
    timer.start();
    timer.join();
    EXPECT_TRUE(fired);
  }
}

TEST(Timer, OfABadIntervalThrows) {
  expect_error<threading::ValueError>("Invalid value NaN (not a number)", [] { Timer(std::nan(""), [] {}); });
  expect_error<threading::OverflowError>("timestamp out of range for C PyTime_t", [] { Timer(1e100, [] {}); });
}

TEST(Timer, PendingIsAThreadInEveryRespectButHasNoNativeId) {
  Timer timer(1h, [] {});
  EXPECT_FALSE(timer.is_alive());
  EXPECT_EQ(timer.ident(), std::nullopt);
  timer.name("bell");
  timer.daemon(true);
  timer.start();
  EXPECT_TRUE(timer.is_alive());
  EXPECT_EQ(timer.name(), "bell");
  EXPECT_TRUE(timer.ident().has_value());
  EXPECT_NE(*timer.ident(), 0u);
  EXPECT_EQ(timer.native_id(), std::nullopt);
  EXPECT_EQ(threading::enumerate().back(), timer);
  EXPECT_EQ(threading::active_count(), 2u);
  EXPECT_FALSE(timer.join(support::kShortDelay));
  expect_error<threading::RuntimeError>("cannot set daemon status of active thread", [&] { timer.daemon(false); });
  expect_error<threading::RuntimeError>("threads can only be started once", [&] { timer.start(); });
  timer.cancel();
  EXPECT_TRUE(timer.join(threading::no_wait));
  EXPECT_FALSE(timer.is_alive());
  EXPECT_EQ(threading::active_count(), 1u);
}

TEST(Timer, IsTheCurrentThreadOfItsFunction) {
  std::optional<threading::Thread> seen;
  threading::Ident ident = 0;
  threading::NativeId native = 0;
  std::string os_name;
  Timer timer({.name = "bell"}, support::kShortDelay, [&] {
    seen = threading::current_thread();
    ident = threading::get_ident();
    native = threading::get_native_id();
    std::array<char, 16> text{};
    prctl(PR_GET_NAME, text.data());
    os_name = text.data();
    EXPECT_TRUE(seen->is_alive());
    expect_error<threading::DeadlockError>("cannot join current thread", [&] { seen->join(); });
  });
  timer.start();
  const auto before = timer.ident();
  timer.join();
  EXPECT_EQ(seen, timer);
  EXPECT_EQ(ident, before);
  EXPECT_EQ(timer.ident(), before);
  EXPECT_EQ(timer.native_id(), native);
  EXPECT_EQ(os_name, "bell");
}

TEST(Timer, LocalValuesEndWithItsFunction) {
  static std::atomic<int> alive;
  struct Counted {
    Counted() { ++alive; }
    ~Counted() { --alive; }
    int value = 0;
  };
  threading::local<Counted> counted;
  for (int i = 0; i < 20; ++i) {
    int seen = -1;
    Timer timer(0.0, [&] {
      seen = counted->value;
      counted->value = 7;
    });
    timer.start();
    timer.join();
    ASSERT_EQ(seen, 0) << "a Timer sees no value of another";
    ASSERT_EQ(alive, 0);
  }
}

TEST(Timer, AnExceptionGoesToTheHookAndStaysWithTheTimer) {
  std::string seen;
  const auto before =
      threading::set_excepthook([&](const threading::ExceptHookArgs& args) { seen = args.thread.name(); });
  Timer failing({.name = "failing"}, 0.0, [] { throw std::runtime_error("no"); });
  failing.start();
  failing.join();
  EXPECT_EQ(seen, "failing");
  EXPECT_THROW(std::rethrow_exception(failing.exception()), std::runtime_error);
  bool fired = false;
  Timer next(0.0, [&] { fired = true; });
  next.start();
  next.join();
  EXPECT_TRUE(fired);
  threading::set_excepthook(before);
}

TEST(Timer, PthreadExitEndsOnlyItself) {
  for (int i = 0; i < 5; ++i) {
    Timer leaving(0.0, [] { pthread_exit(nullptr); });
    leaving.start();
    EXPECT_TRUE(leaving.join(support::kLongDelay));
    Timer next(0.0, [] {});
    next.start();
    EXPECT_TRUE(next.join(support::kLongDelay));
  }
}

TEST(TimerCancel, BeforeStartMakesStartReturnAtOnceWithoutACall) {
  bool fired = false;
  Timer timer(0.0, [&] { fired = true; });
  timer.cancel();
  EXPECT_FALSE(timer.is_alive());
  timer.start();
  EXPECT_TRUE(timer.join(support::kLongDelay));
  EXPECT_FALSE(fired);
  expect_error<threading::RuntimeError>("threads can only be started once", [&] { timer.start(); });
}

TEST(TimerCancel, WhilePendingFreesTheFunctionAndWakesJoiners) {
  auto witness = std::make_shared<int>(0);
  const std::weak_ptr<int> gone = witness;
  Timer timer(1h, [witness = std::move(witness)] { ADD_FAILURE(); });
  timer.start();
  support::Bunch joiner(
      2, [&](int index) { index == 0 ? timer.join() : static_cast<void>(timer.join(support::kLongDelay)); });
  timer.cancel();
  joiner.join();
  EXPECT_TRUE(gone.expired());
  timer.cancel();
}

TEST(TimerCancel, OfOneThatWaitsForEverEndsIt) {
  Timer timer(threading::forever, [] { ADD_FAILURE(); });
  timer.start();
  EXPECT_TRUE(timer.is_alive());
  timer.cancel();
  timer.join();
}

TEST(TimerCancel, FromItsOwnFunctionAndAfterDoesNothing) {
  std::optional<Timer> self;
  int calls = 0;
  self.emplace(0.0, [&] {
    ++calls;
    self->cancel();
    EXPECT_TRUE(self->is_alive());
  });
  self->start();
  self->join();
  self->cancel();
  EXPECT_EQ(calls, 1);
}

TEST(TimerCancel, WhileFiringDoesNotEndTheFunction) {
  Event entered;
  Event go;
  bool done = false;
  Timer timer(0.0, [&] {
    entered.set();
    go.wait();
    done = true;
  });
  timer.start();
  entered.wait();
  timer.cancel();
  EXPECT_TRUE(timer.is_alive());
  go.set();
  timer.join();
  EXPECT_TRUE(done);
}

TEST(TimerCancel, RacingTheDeadlineEitherFiresOnceOrNever) {
  for (int round = 0; round < support::rounds(500); ++round) {
    std::atomic<int> calls = 0;
    Timer timer(std::chrono::microseconds(50 + round % 50), [&] { ++calls; });
    timer.start();
    const auto until = Clock::now() + std::chrono::microseconds(90);
    while (Clock::now() < until) {
    }
    timer.cancel();
    ASSERT_TRUE(timer.join(support::kLongDelay));
    const int at_end = calls;
    ASSERT_LE(at_end, 1);
  }
}

TEST(TimerCancel, OfAnotherFromAFunction) {
  Timer later(1h, [] { ADD_FAILURE(); });
  later.start();
  Timer sooner(0.0, [&] { later.cancel(); });
  sooner.start();
  EXPECT_TRUE(later.join(support::kLongDelay));
  sooner.join();
}

TEST(Timers, ASlowFunctionDelaysNoOther) {
  Event go;
  std::vector<Timer> slow;
  for (int i = 0; i < 5; ++i) {
    slow.emplace_back(0.0, [&] { go.wait(); });
    slow.back().start();
  }
  bool fired = false;
  Timer quick(support::kShortDelay, [&] { fired = true; });
  quick.start();
  EXPECT_TRUE(quick.join(support::kLongDelay));
  EXPECT_TRUE(fired);
  for (const Timer& timer : slow) EXPECT_TRUE(timer.is_alive());
  go.set();
  for (const Timer& timer : slow) timer.join();
}

TEST(Timers, AHundredThousandPendingHoldOneOsThread) {
  const int count = support::rounds(100'000);
  const std::ptrdiff_t before = os_threads();
  std::vector<Timer> timers;
  timers.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    timers.emplace_back(1h + std::chrono::microseconds(i % 1000), [] { ADD_FAILURE(); });
    timers.back().start();
  }
  EXPECT_EQ(threading::active_count(), static_cast<std::size_t>(count) + 1);
  EXPECT_LE(os_threads(), before + 1);
  for (const Timer& timer : timers) timer.cancel();
  EXPECT_EQ(threading::active_count(), 1u);
}

// The system gives the number of an OS thread to another only when all have been used. A thread that is held up may not
// be idle in time; so a few more than two are allowed.
TEST(Timers, FiringOneAfterTheOtherBesideAPendingOneMakesFewOsThreads) {
  std::set<threading::NativeId> threads;
  // Due before an idle thread would leave, and after.
  for (const std::chrono::milliseconds pending : {std::chrono::milliseconds(900), std::chrono::milliseconds(1h)}) {
    Timer other(pending, [] {});
    other.start();
    for (int i = 0; i < 100; ++i) {
      Timer timer(1ms, [&] { threads.insert(threading::get_native_id()); });
      timer.start();
      timer.join();
    }
    other.cancel();
  }
  EXPECT_LE(threads.size(), 20u);
}

TEST(Timers, ManyDueAtOnceRunOnFewOsThreads) {
  const int count = support::rounds(50'000);
  std::atomic<int> calls = 0;
  std::atomic<std::ptrdiff_t> most = 0;
  std::vector<Timer> timers;
  const auto due = Clock::now() + support::kMediumDelay;
  for (int i = 0; i < count; ++i) {
    timers.emplace_back(due, [&] {
      if (++calls % 1000 == 0) most = std::max(most.load(), os_threads());
    });
    timers.back().start();
  }
  for (const Timer& timer : timers) ASSERT_TRUE(timer.join(support::kLongDelay));
  EXPECT_EQ(calls, count);
  EXPECT_LT(most, 50);
}

TEST(Timers, StartCancelAndFireFromManyThreads) {
  std::atomic<int> calls = 0;
  std::atomic<int> expected = 0;
  support::Bunch(4, [&](int index) {
    for (int i = 0; i < support::rounds(2000); ++i) {
      Timer timer(std::chrono::microseconds((i * 7 + index) % 300), [&] { ++calls; });
      timer.start();
      if (i % 3 == 0) {
        timer.cancel();
        timer.join();
      } else if (i % 3 == 1) {
        timer.join();
        ++expected;
      } else {
        ++expected;
      }
    }
  }).join();
  ASSERT_TRUE(eventually([&] { return threading::active_count() == 1; }));
  EXPECT_GE(calls, expected);
}

TEST(Timers, AFunctionMayStartTheNext) {
  Event done;
  std::atomic<int> ticks = 0;
  struct Clockwork {
    static void tick(std::atomic<int>& count, Event& end) {
      if (++count == 50) {
        end.set();
        return;
      }
      Timer(std::chrono::microseconds(200), &Clockwork::tick, std::ref(count), std::ref(end)).start();
    }
  };
  Timer(0.0, &Clockwork::tick, std::ref(ticks), std::ref(done)).start();
  EXPECT_TRUE(done.wait(support::kLongDelay));
}

TEST(Timers, APendingOneIsShownByTheDumpWithItsDeadline) {
  Timer timer({.name = "tea"}, 1h, [] {});
  const auto before = Clock::now();
  timer.start();
  const threading::ThreadInfo info = threading::snapshot().back();
  EXPECT_EQ(info.name, "tea");
  EXPECT_EQ(info.state, threading::ThreadInfo::State::pending);
  EXPECT_GE(info.wait->deadline.nanoseconds(), (before + 1h).time_since_epoch().count());
  EXPECT_EQ(info.ident, timer.ident());
  EXPECT_EQ(threading::snapshot().size(), 2u) << "the thread that waits for timers is not shown";
  timer.cancel();
}

TEST(Timers, TheHelperThreadsEndWhenThereIsNothingToDo) {
  // One may stay: it still sleeps for a Timer that was cancelled.
  ASSERT_TRUE(eventually([] { return helpers() <= 1; })) << "those of other tests";
  Event go;
  std::vector<Timer> timers;
  for (int i = 0; i < 4; ++i) {
    timers.emplace_back(0.0, [&] { go.wait(); });
    timers.back().start();
  }
  EXPECT_TRUE(eventually([] { return helpers() >= 4; }));
  go.set();
  EXPECT_TRUE(eventually([] { return helpers() <= 1; }));
}

}  // namespace
