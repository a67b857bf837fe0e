// SPDX-License-Identifier: MIT
//
// One property of a Thread each: construction, start, identity, end.
#include <threading/thread.hpp>

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <unordered_set>

#include <gtest/gtest.h>

#include <threading/event.hpp>

#include "support/errors.hpp"
#include "support/support.hpp"

namespace {

using namespace std::chrono_literals;
using support::eventually;
using support::expect_error;
using threading::Event;
using threading::RuntimeError;
using threading::Thread;

std::string os_name() {
  std::array<char, 16> text{};
  prctl(PR_GET_NAME, text.data());
  return text.data();
}

std::size_t own_stack_size() {
  pthread_attr_t attributes;
  pthread_getattr_np(pthread_self(), &attributes);
  std::size_t size = 0;
  pthread_attr_getstacksize(&attributes, &size);
  pthread_attr_destroy(&attributes);
  return size;
}

TEST(Thread, ArgumentsAreCopiedOrMovedInAsStdThreadDoes) {
  auto owned = std::make_unique<int>(7);
  int seen = 0;
  std::string text = "before";
  Thread thread(
      [&](std::unique_ptr<int> number, const std::string& copy, int& result) {
        EXPECT_EQ(copy, "before");
        result = *number;
      },
      std::move(owned), text, std::ref(seen));
  text = "after";
  thread.start();
  thread.join();
  EXPECT_EQ(seen, 7);
}

TEST(Thread, AMemberFunctionIsATarget) {
  struct Counter {
    void add(int n) { sum += n; }
    int sum = 0;
  } counter;
  threading::spawn(&Counter::add, &counter, 5).join();
  EXPECT_EQ(counter.sum, 5);
}

TEST(Thread, ATargetIsDestroyedInItsThreadOnceItHasReturned) {
  struct Probe {
    explicit Probe(threading::Ident* where) : where_(where) {}
    Probe(Probe&& other) noexcept : where_(std::exchange(other.where_, nullptr)) {}
    ~Probe() {
      if (where_ != nullptr) *where_ = threading::get_ident();
    }
    threading::Ident* where_;
  };
  threading::Ident where = 0;
  Thread thread([probe = Probe(&where)] {});
  thread.start();
  thread.join();
  EXPECT_EQ(where, *thread.ident());
}

TEST(Thread, AThreadThatHoldsItselfIsFreed) {
  auto witness = std::make_shared<int>(0);
  const std::weak_ptr<int> gone = witness;
  {
    auto self = std::make_shared<std::optional<Thread>>();
    Thread thread([self, witness = std::move(witness)] {});
    *self = thread;
    thread.start();
    thread.join();
  }
  EXPECT_TRUE(gone.expired());
}

TEST(Thread, ATargetThatNeverRanIsDestroyedWithTheLastHandle) {
  auto witness = std::make_shared<int>(0);
  const std::weak_ptr<int> gone = witness;
  {
    const Thread thread([witness = std::move(witness)] {});
    const Thread copy = thread;
    EXPECT_FALSE(gone.expired());
  }
  EXPECT_TRUE(gone.expired());
}

TEST(Thread, AnOverAlignedTargetIsAligned) {
  struct alignas(128) Wide {
    char byte = 1;
  };
  bool is_aligned = false;
  threading::spawn([wide = Wide(), &is_aligned] {
    is_aligned = reinterpret_cast<std::uintptr_t>(&wide) % 128 == 0;
  }).join();
  EXPECT_TRUE(is_aligned);
}

TEST(Thread, AnExceptionOfTheTargetsCopyLeavesTheConstructor) {
  struct Bad {
    Bad() = default;
    Bad(const Bad&) { throw std::runtime_error("no copy"); }
    void operator()() const {}
  };
  const Bad bad;
  const std::size_t before = threading::active_count();
  EXPECT_THROW(Thread{bad}, std::runtime_error);
  EXPECT_EQ(threading::active_count(), before);
}

TEST(Thread, StartsOnlyOnce) {
  Thread thread([] {});
  thread.start();
  expect_error<RuntimeError>("threads can only be started once", [&] { thread.start(); });
  thread.join();
  expect_error<RuntimeError>("threads can only be started once", [&] { thread.start(); });
}

TEST(Thread, OneOfManyStartsWins) {
  for (int round = 0; round < support::rounds(50); ++round) {
    std::atomic<int> runs = 0;
    std::atomic<int> refusals = 0;
    Thread thread([&] { ++runs; });
    support::Bunch(4, [&] {
      try {
        thread.start();
      } catch (const RuntimeError&) {
        ++refusals;
      }
    }).join();
    thread.join();
    ASSERT_EQ(runs, 1);
    ASSERT_EQ(refusals, 3);
  }
}

TEST(Thread, IsAliveFromStartOnAndHasItsIdent) {
  Event go;
  Thread thread([&] { go.wait(); });
  EXPECT_FALSE(thread.is_alive());
  EXPECT_EQ(thread.ident(), std::nullopt);
  EXPECT_EQ(thread.native_id(), std::nullopt);
  thread.start();
  EXPECT_TRUE(thread.is_alive());
  EXPECT_TRUE(thread.ident().has_value());
  EXPECT_TRUE(thread.native_id().has_value());
  go.set();
  thread.join();
  EXPECT_FALSE(thread.is_alive());
  EXPECT_TRUE(thread.ident().has_value()) << "known after the end, too";
}

TEST(Thread, IdentIsPthreadSelfAndNativeIdIsGettid) {
  threading::Ident ident = 0;
  threading::NativeId native = 0;
  Thread thread([&] {
    ident = static_cast<threading::Ident>(pthread_self());
    native = gettid();
    EXPECT_EQ(threading::get_ident(), ident);
    EXPECT_EQ(threading::get_native_id(), native);
  });
  thread.start();
  EXPECT_EQ(thread.native_id().has_value(), true);
  thread.join();
  EXPECT_EQ(thread.ident(), ident);
  EXPECT_EQ(thread.native_id(), native);
}

TEST(Thread, NativeIdAskedByManyAtTheStartIsKnownToAll) {
  for (int round = 0; round < support::rounds(50); ++round) {
    Thread thread([] {});
    std::atomic<int> known = 0;
    support::Bunch bunch(3, [&](int index) {
      if (index == 0) thread.start();
      while (!thread.ident()) std::this_thread::yield();
      if (thread.native_id() || !thread.is_alive()) ++known;
    });
    bunch.join();
    thread.join();
    ASSERT_EQ(known, 3);
  }
}

TEST(Thread, DefaultNamesCountOnlyThoseWithoutAName) {
  const Thread first([] {});
  const Thread named({.name = "own"}, [] {});
  const Thread second([] {});
  const int n = std::stoi(first.name().substr(7));
  EXPECT_EQ(first.name(), "Thread-" + std::to_string(n));
  EXPECT_EQ(second.name(), "Thread-" + std::to_string(n + 1));
  EXPECT_EQ(named.name(), "own");
}

TEST(Thread, TheNameReachesTheSystemAtStartAndOnSelfRename) {
  std::string at_start;
  std::string by_other;
  std::string by_self;
  Event started;
  Event renamed;
  Thread thread({.name = "crunch"}, [&] {
    at_start = os_name();
    started.set();
    renamed.wait();
    by_other = os_name();
    threading::current_thread().name("myself");
    by_self = os_name();
  });
  thread.start();
  started.wait();
  thread.name("label only");
  renamed.set();
  thread.join();
  EXPECT_EQ(at_start, "crunch");
  EXPECT_EQ(by_other, "crunch");
  EXPECT_EQ(by_self, "myself");
}

TEST(Thread, ALongNameIsCutBetweenCharacters) {
  std::string seen;
  // 14 bytes, then a character of two bytes: the fifteenth byte would be half of it.
  threading::spawn({.name = "fourteen bytes\u00e9"}, [&] { seen = os_name(); }).join();
  EXPECT_EQ(seen, "fourteen bytes");
  threading::spawn({.name = "thirteen byte\u00e9s"}, [&] { seen = os_name(); }).join();
  EXPECT_EQ(seen, "thirteen byte\u00e9");
}

TEST(Thread, DaemonIsInheritedUnlessGiven) {
  EXPECT_FALSE(Thread([] {}).daemon());
  bool inherited = false;
  bool overridden = true;
  threading::spawn({.daemon = true}, [&] {
    inherited = Thread([] {}).daemon();
    overridden = Thread({.daemon = false}, [] {}).daemon();
  }).join();
  EXPECT_TRUE(inherited);
  EXPECT_FALSE(overridden);
}

TEST(Thread, DaemonCannotChangeOnceStarted) {
  Event go;
  Thread thread([&] { go.wait(); });
  thread.daemon(true);
  thread.daemon(false);
  thread.start();
  expect_error<RuntimeError>("cannot set daemon status of active thread", [&] { thread.daemon(true); });
  go.set();
  thread.join();
  expect_error<RuntimeError>("cannot set daemon status of active thread", [&] { thread.daemon(true); });
  EXPECT_FALSE(thread.daemon());
}

TEST(Thread, AHandleThatWasMovedFromStillMeansItsThread) {
  Thread a([] {});
  Thread b = std::move(a);
  EXPECT_EQ(a, b);
  a = std::move(b);
  EXPECT_EQ(a, b);
  const Thread& self = a;
  a = self;
  EXPECT_EQ(std::hash<Thread>()(a), std::hash<Thread>()(b));
  EXPECT_NE(a, Thread([] {}));
}

TEST(Thread, AFailingStartLeavesItFreshForAnotherTry) {
  std::atomic<int> runs = 0;
  Thread thread([&] { ++runs; });
  if (sizeof(void*) < 8)
    GTEST_SKIP() << "no size that may be asked for is more than 32 bits of addresses have room for";
  // 2^50 bytes: more than an address space has.
  const std::size_t before = threading::stack_size(std::size_t{1} << (std::numeric_limits<std::size_t>::digits - 14));
  expect_error<RuntimeError>("can't start new thread", [&] { thread.start(); });
  EXPECT_FALSE(thread.is_alive());
  EXPECT_EQ(thread.ident(), std::nullopt);
  EXPECT_EQ(thread.native_id(), std::nullopt);
  EXPECT_EQ(threading::active_count(), 1u);
  expect_error<RuntimeError>("cannot join thread before it is started", [&] { thread.join(); });
  threading::stack_size(before);
  thread.daemon(true);
  thread.start();
  thread.join();
  EXPECT_EQ(runs, 1);
}

TEST(StackSize, IsGivenToThreadsStartedLater) {
  // Larger than what systems give by default; the system may give more than asked for.
  constexpr std::size_t kLarge = std::size_t{24} << 20;
  const std::size_t before = threading::stack_size(kLarge);
  EXPECT_EQ(threading::stack_size(), kLarge);
  std::size_t by_default = 0;
  std::size_t by_option = 0;
  threading::spawn([&] { by_default = own_stack_size(); }).join();
  threading::spawn({.stack_size = 2 * kLarge}, [&] { by_option = own_stack_size(); }).join();
  EXPECT_EQ(threading::stack_size(before), kLarge);
  EXPECT_GE(by_default, kLarge);
  EXPECT_GE(by_option, 2 * kLarge);
}

// What it gives back, it takes again; there is no such stack.
TEST(StackSize, OfAHalfOfAllAddressesStaysOne) {
  const std::size_t before = threading::stack_size(PTRDIFF_MAX);
  const std::size_t rounded = threading::stack_size(before);
  EXPECT_LE(rounded, static_cast<std::size_t>(PTRDIFF_MAX));
  EXPECT_EQ(threading::stack_size(rounded), before);
  EXPECT_EQ(threading::stack_size(before), rounded);
}

TEST(StackSize, RefusesWhatTheReferenceRefusesAndStaysUnchanged) {
  const std::size_t before = threading::stack_size();
  expect_error<threading::ValueError>("size not valid: 4096 bytes", [] { threading::stack_size(4096); });
  expect_error<threading::ValueError>("size not valid: 32767 bytes", [] { threading::stack_size(32767); });
  expect_error<threading::ValueError>("size must be 0 or a positive value",
                                      [] { threading::stack_size(static_cast<std::size_t>(-1)); });
  expect_error<threading::ValueError>("size not valid: 1 bytes", [] { Thread({.stack_size = 1}, [] {}); });
  EXPECT_EQ(threading::stack_size(), before);
}

TEST(StackSize, IsRoundedUpToPagesAndRunsAtItsSmallest) {
  const std::size_t before = threading::stack_size(32769);
  EXPECT_EQ(threading::stack_size(before) % static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), 0u);
  bool ran = false;
  threading::spawn({.stack_size = 32768}, [&] { ran = true; }).join();
  EXPECT_TRUE(ran);
}

TEST(Registry, ListsMainFirstAndOthersInTheOrderOfTheirStart) {
  Event go;
  const auto wait = [&] { go.wait(); };
  Thread second({.name = "second"}, wait);
  Thread first({.name = "first"}, wait);
  first.start();
  second.start();
  EXPECT_EQ(threading::enumerate(), (std::vector<Thread>{threading::main_thread(), first, second}));
  EXPECT_EQ(threading::active_count(), 3u);
  go.set();
  first.join();
  EXPECT_NE(threading::enumerate().back(), first) << "a joined thread is not listed";
  second.join();
  EXPECT_EQ(threading::enumerate(), std::vector<Thread>{threading::main_thread()});
}

TEST(Registry, ListsThreadsWhileTheyComeAndGo) {
  std::atomic<bool> stop = false;
  support::Bunch churn(2, [&] {
    while (!stop) threading::spawn([] {});
  });
  for (int i = 0; i < support::rounds(300); ++i) {
    for (const Thread& thread : threading::enumerate()) {
      ASSERT_FALSE(thread.name().empty());
      ASSERT_TRUE(thread.ident().has_value() || thread.is_alive());
    }
  }
  stop = true;
  churn.join();
}

TEST(Registry, IdentsOfLivingThreadsAreDifferent) {
  Event go;
  std::vector<Thread> threads;
  for (int i = 0; i < 20; ++i) threads.push_back(threading::spawn([&] { go.wait(); }));
  std::set<threading::Ident> idents;
  std::set<threading::NativeId> natives;
  for (const Thread& thread : threading::enumerate()) {
    EXPECT_NE(*thread.ident(), 0u);
    idents.insert(*thread.ident());
    natives.insert(*thread.native_id());
  }
  EXPECT_EQ(idents.size(), 21u);
  EXPECT_EQ(natives.size(), 21u);
  go.set();
  for (const Thread& thread : threads) thread.join();
}

TEST(MainThread, IsTheOneThatEnteredMain) {
  const Thread main = threading::main_thread();
  EXPECT_EQ(main, threading::current_thread());
  EXPECT_EQ(main.name(), "MainThread");
  EXPECT_FALSE(main.daemon());
  EXPECT_TRUE(main.is_alive());
  EXPECT_EQ(main.ident(), threading::get_ident());
  EXPECT_EQ(main.native_id(), getpid());
  Thread seen = threading::spawn([] {});
  seen.join();
  threading::spawn([&] { seen = threading::main_thread(); }).join();
  EXPECT_EQ(seen, main);
}

TEST(ThreadOf, KeepsItsBodyUntilTheLastHandle) {
  struct Body {
    explicit Body(int* gone) : gone_(gone) {}
    ~Body() { ++*gone_; }
    void run() { result = 42; }
    int result = 0;
    int* gone_;
  };
  int gone = 0;
  {
    threading::ThreadOf<Body> thread(&gone);
    const Thread base = thread;
    thread.start();
    base.join();
    EXPECT_EQ(thread->result, 42);
    EXPECT_EQ((*thread).result, 42);
    EXPECT_EQ(gone, 0);
  }
  EXPECT_EQ(gone, 1);
}

TEST(ThreadOf, ABodyMayTakeTheStopToken) {
  struct Body {
    void run(std::stop_token stop) {
      Event never;
      stopped = !never.wait(threading::forever, stop);
    }
    bool stopped = false;
  };
  threading::ThreadOf<Body> thread;
  thread.start();
  thread.stop_source().request_stop();
  thread.join();
  EXPECT_TRUE(thread->stopped);
}

// Also one whose only argument is a thread, which is no copy of a ThreadOf.
TEST(ThreadOf, ABodyMayBeMadeFromAThread) {
  struct Body {
    explicit Body(Thread thread, int number = 0) : parent(std::move(thread)), more(number) {}
    void run() {}
    Thread parent;
    int more;
  };
  threading::ThreadOf<Body> one(threading::current_thread());
  EXPECT_EQ(one->parent, threading::current_thread());
  threading::ThreadOf<Body> two(one, 5);
  EXPECT_EQ(two->parent, one);
  EXPECT_EQ(two->more, 5);
  threading::ThreadOf<Body> copy(one);
  EXPECT_EQ(copy, one);
  EXPECT_EQ(&*copy, &*one);
}

TEST(Joining, StopsAndJoinsWhenAnExceptionLeavesTheScope) {
  bool stopped = false;
  try {
    const threading::Joining scope(threading::spawn([&](std::stop_token stop) {
      Event never;
      stopped = !never.wait(threading::forever, stop);
    }));
    throw std::runtime_error("out");
  } catch (const std::runtime_error&) {
  }
  EXPECT_TRUE(stopped);
}

TEST(Joining, LeavesAThreadAloneThatWasNeverStarted) {
  const threading::Joining scope{Thread([] {})};
}

}  // namespace
