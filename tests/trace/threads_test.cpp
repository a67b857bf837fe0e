// SPDX-License-Identifier: MIT
//
// What threads of the library do with the functions that are set for them.
#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/thread.hpp>
#include <threading/trace.hpp>

#include "support/support.hpp"
#include "trace/recorder.hpp"

namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using threading::Thread;
using threading::TraceEvent;
namespace sys = threading::sys;

[[gnu::noinline]] void step() { THREADING_TRACE_SCOPE(); }

struct ThreadTrace : testing::Test {
  NoFunctionsAfterwards cleaner;
  Recorder trace;
  Recorder profile;

  void run(void (*target)()) {
    Thread thread(target);
    thread.start();
    thread.join();
  }
};

// The functions are there before run() begins, which is itself a call that returns.
TEST_F(ThreadTrace, FunctionsAreArmedBeforeRun) {
  threading::settrace(trace.function());
  threading::setprofile(profile.function());
  run([] { EXPECT_TRUE(sys::gettrace() && sys::getprofile()); });
  EXPECT_THAT(trace.lines(), ElementsAre("call Thread.run", "return Thread.run"));
  EXPECT_THAT(profile.lines(), ElementsAre("call Thread.run", "return Thread.run"));
}

// What run() does comes between.
TEST_F(ThreadTrace, EventsOfTheTargetComeBetween) {
  threading::settrace(trace.function());
  run([] { step(); });
  ASSERT_EQ(trace.events().size(), 4u);
  EXPECT_EQ(trace.events().front().name(), "Thread.run");
  EXPECT_EQ(trace.events().back().name(), "Thread.run");
  EXPECT_NE(trace.events()[1].function, trace.events()[0].function);
}

// The thread is registered when the first event comes: its function can ask who it is.
TEST_F(ThreadTrace, TheThreadIsRegisteredByThen) {
  std::vector<std::string> names;
  bool listed = false;
  threading::settrace([&](const TraceEvent&) {
    const Thread self = threading::current_thread();
    names.push_back(self.name());
    const auto all = threading::enumerate();
    listed = std::ranges::find(all, self) != all.end();
  });
  Thread thread({.name = "crunch"}, [] {});
  thread.start();
  thread.join();
  EXPECT_THAT(names, ElementsAre("crunch", "crunch"));
  EXPECT_TRUE(listed);
}

// The trace function is armed before the profile function, and hears of the thread's start first.
TEST_F(ThreadTrace, TraceComesFirst) {
  std::string order;
  threading::setprofile([&](const TraceEvent&) { order += 'p'; });
  threading::settrace([&](const TraceEvent&) { order += 't'; });
  run([] {});
  EXPECT_EQ(order, "tptp");
}

// A thread that runs already keeps what it has; one that starts afterwards gets what is set then.
TEST_F(ThreadTrace, OnlyLaterThreadsTakePart) {
  threading::Event ready;
  threading::Event go;
  Thread early([&] {
    ready.set();
    go.wait();
    step();
  });
  early.start();
  ready.wait();
  threading::settrace(trace.function());
  go.set();
  early.join();
  EXPECT_THAT(trace.events(), IsEmpty());
  run([] {});
  EXPECT_EQ(trace.events().size(), 2u);
  threading::settrace({});
  run([] {});
  EXPECT_EQ(trace.events().size(), 2u);
}

// What was set for all threads before a thread started does not come back when that was replaced for new ones.
TEST_F(ThreadTrace, NewThreadsFollowTheLastCall) {
  threading::settrace_all_threads(trace.function());
  sys::settrace({});
  threading::settrace({});
  run([] { step(); });
  EXPECT_THAT(trace.events(), IsEmpty());
}

// A thread in the middle of a wait gets the function when the wait is over.
TEST_F(ThreadTrace, WaitingThreadsTakePart) {
  threading::Event ready;
  threading::Event go;
  Thread thread([&] {
    ready.set();
    go.wait();
    step();
  });
  thread.start();
  ready.wait();
  threading::settrace_all_threads(trace.function());
  sys::settrace({});
  go.set();
  thread.join();
  EXPECT_GE(trace.count(TraceEvent::call), 1);
  EXPECT_EQ(trace.lines().back(), "return Thread.run");
}

// Joining is a call that blocks.
TEST_F(ThreadTrace, JoiningIsSeen) {
  threading::Event go;
  Thread thread([&] { go.wait(); });
  thread.start();
  sys::setprofile(profile.function());
  EXPECT_FALSE(thread.join(1ms));
  sys::setprofile({});
  go.set();
  thread.join();
  EXPECT_THAT(profile.lines(), ElementsAre("c_call Thread", "c_return Thread"));
}

// A thread that an exception ends returns all the same, and reports the exception as ever.
TEST_F(ThreadTrace, FailingThreadsReturn) {
  std::string reported;
  threading::set_excepthook([&](const threading::ExceptHookArgs& args) { reported = args.thread.name(); });
  threading::settrace(trace.function());
  Thread thread({.name = "fails"}, [] { throw std::runtime_error("out"); });
  thread.start();
  thread.join();
  threading::set_excepthook({});
  EXPECT_EQ(reported, "fails");
  EXPECT_THAT(trace.lines(), ElementsAre("call Thread.run", "return Thread.run"));
}

// A function that throws when its thread starts is removed there; the thread runs, and the next thread has it again.
TEST_F(ThreadTrace, AThrowingFunctionHurtsNobody) {
  std::atomic<int> calls{0};
  std::atomic<int> runs{0};
  threading::settrace([&](const TraceEvent&) {
    ++calls;
    throw std::runtime_error("trace");
  });
  for (int i = 0; i < 2; ++i) {
    Thread thread([&] {
      EXPECT_FALSE(sys::gettrace());
      step();
      ++runs;
    });
    thread.start();
    thread.join();
    EXPECT_FALSE(thread.exception());
  }
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(runs, 2);
}

// What a thread's function holds is let go when the thread is joined.
TEST_F(ThreadTrace, FunctionsEndWithTheirThread) {
  const auto witness = std::make_shared<std::atomic<int>>(0);
  threading::settrace([witness](const TraceEvent&) { ++*witness; });
  run([] {});
  EXPECT_EQ(*witness, 2);
  threading::settrace({});
  EXPECT_EQ(witness.use_count(), 1);
}

// The library's own locks are no events, and a function may ask who is there wherever it runs: at the end of a wait
// that was handed its lock, too.
TEST_F(ThreadTrace, InternalLocksAreSilent) {
  std::atomic<int> events{0};
  const auto ask = [&](const TraceEvent& event) {
    EXPECT_NE(event.name(), "Lock");
    EXPECT_FALSE(threading::current_thread().name().empty());
    EXPECT_GE(threading::active_count(), 1u);
    ++events;
  };
  support::Bunch asking(4, [&](int) {
    sys::setprofile(ask);
    for (int i = 0; i < support::rounds(20'000); ++i) static_cast<void>(threading::enumerate());
    step();
  });
  asking.join();
  EXPECT_EQ(events, 8);
}

// Threads come and go while functions change: each thread's call of run() returns if it was seen, whatever happens.
TEST_F(ThreadTrace, ThreadsStartWhileFunctionsChange) {
  std::atomic<int> depth{0};
  std::atomic<bool> stop{false};
  const auto balance = [&](const TraceEvent& event) {
    if (event.name() != "Thread.run") return;
    event.kind == TraceEvent::call ? ++depth : --depth;
  };
  threading::settrace(balance);
  support::Bunch changing(1, [&] {
    while (!stop) {
      threading::setprofile_all_threads([](const TraceEvent&) {});
      std::this_thread::yield();
    }
  });
  for (int i = 0; i < support::rounds(200); ++i) {
    std::vector<Thread> threads;
    for (int j = 0; j < 4; ++j) threads.push_back(threading::spawn([] { step(); }));
    for (const Thread& thread : threads) thread.join();
  }
  stop = true;
  changing.join();
  EXPECT_EQ(depth, 0);
}

}  // namespace
