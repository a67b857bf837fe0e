// SPDX-License-Identifier: MIT
#include <atomic>
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>

#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/trace.hpp>

#include "support/support.hpp"
#include "trace/recorder.hpp"

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;
using threading::Lock;
using threading::TraceEvent;
namespace sys = threading::sys;

[[gnu::noinline]] int leaf(int x) {  // an inlined function has its caller's call site
  THREADING_TRACE_SCOPE();
  return x + 1;
}
int branch(int x) {
  THREADING_TRACE_SCOPE();
  return leaf(x) + leaf(x);
}
void thrower() {
  THREADING_TRACE_SCOPE();
  throw std::runtime_error("out");
}
void wait_in_vain() {
  Lock held;
  held.acquire();
  EXPECT_FALSE(held.acquire(1ms));
  held.release();
}

struct Trace : testing::Test {
  NoFunctionsAfterwards cleaner;
  Recorder trace;
  Recorder profile;
};

std::string plain(std::string name) {  // GCC and Clang spell the anonymous namespace differently
  for (const std::string space : {"{anonymous}::", "(anonymous namespace)::"}) {
    if (const auto at = name.find(space); at != name.npos) name.erase(at, space.size());
  }
  return name;
}
std::vector<std::string> plain(std::vector<std::string> names) {
  for (auto& name : names) name = plain(std::move(name));
  return names;
}

// The scope macro gives a call and a return event with the function's name, properly nested.
TEST_F(Trace, ScopesNest) {
  sys::settrace(trace.function());
  branch(1);
  sys::settrace({});
  EXPECT_THAT(plain(trace.lines()), ElementsAre("call branch(int)", "call leaf(int)", "return leaf(int)",
                                                "call leaf(int)", "return leaf(int)", "return branch(int)"));
}

// A scope's event knows its place, and a call has an identity that a return of the same function shares.
TEST_F(Trace, ScopesKnowTheirPlace) {
  sys::settrace(trace.function());
  leaf(1);
  branch(1);
  sys::settrace({});
  const auto& events = trace.events();
  ASSERT_EQ(events.size(), 8u);
  EXPECT_THAT(std::string(events[0].where().file), EndsWith("trace_test.cpp"));
  EXPECT_GT(events[2].where().line, events[0].where().line);
  EXPECT_NE(events[0].function, nullptr);
  EXPECT_EQ(events[0].function, events[1].function);
  EXPECT_EQ(events[0].function, events[3].function);
  EXPECT_NE(events[0].function, events[2].function);
  EXPECT_NE(events[0].call_site, nullptr);
  EXPECT_NE(events[0].call_site, events[3].call_site);
}

// The return event comes also when an exception leaves the scope.
TEST_F(Trace, ScopesReturnOnException) {
  sys::settrace(trace.function());
  EXPECT_THROW(thrower(), std::runtime_error);
  sys::settrace({});
  EXPECT_THAT(plain(trace.lines()), ElementsAre("call thrower()", "return thrower()"));
}

// Without a function nothing is delivered, and an empty one takes the old one away.
TEST_F(Trace, EmptyFunctionRemoves) {
  sys::settrace(trace.function());
  EXPECT_TRUE(sys::gettrace());
  sys::settrace({});
  EXPECT_FALSE(sys::gettrace());
  leaf(1);
  EXPECT_THAT(trace.events(), IsEmpty());
}

// Blocking calls are the profile function's, as calls of built-in functions are in Python.
TEST_F(Trace, OnlyProfileFunctionsSeeBlockingCalls) {
  sys::settrace(trace.function());
  sys::setprofile(profile.function());
  wait_in_vain();
  leaf(1);
  sys::settrace({});
  sys::setprofile({});
  EXPECT_THAT(plain(trace.lines()), ElementsAre("call leaf(int)", "return leaf(int)"));
  EXPECT_THAT(plain(profile.lines()),
              ElementsAre("c_call Lock", "c_return Lock", "call leaf(int)", "return leaf(int)"));
}

// A call that need not block produces no event.
TEST_F(Trace, UncontendedCallsAreSilent) {
  sys::setprofile(profile.function());
  Lock lock;
  lock.acquire();
  EXPECT_FALSE(lock.acquire(false));
  lock.release();
  sys::setprofile({});
  EXPECT_THAT(profile.events(), IsEmpty());
}

// For one event the trace function runs before the profile function.
TEST_F(Trace, TraceComesBeforeProfile) {
  std::string order;
  sys::setprofile([&](const TraceEvent&) { order += 'p'; });
  sys::settrace([&](const TraceEvent&) { order += 't'; });
  leaf(1);
  sys::settrace({});
  sys::setprofile({});
  EXPECT_EQ(order, "tptp");
}

// What a function does is not traced, neither scopes nor waits.
TEST_F(Trace, FunctionsAreNotTracedThemselves) {
  int calls = 0;
  const auto function = [&](const TraceEvent&) {
    ++calls;
    leaf(1);
    wait_in_vain();
  };
  sys::settrace(function);
  sys::setprofile(function);
  leaf(1);
  sys::settrace({});
  sys::setprofile({});
  EXPECT_EQ(calls, 4);
}

// A function may remove itself; it is destroyed after it has returned, and not later.
TEST_F(Trace, FunctionsMayRemoveThemselves) {
  const auto witness = std::make_shared<int>(0);
  bool alive_inside = false;
  sys::settrace([witness, &alive_inside](const TraceEvent&) {
    sys::settrace({});
    alive_inside = witness.use_count() > 1;
    ++*witness;
  });
  leaf(1);
  EXPECT_TRUE(alive_inside);
  EXPECT_EQ(*witness, 1);
  EXPECT_EQ(witness.use_count(), 1);
}

// A function may put another in its place, which gets the next event.
TEST_F(Trace, FunctionsMayReplaceThemselves) {
  int calls = 0;
  sys::settrace([&](const TraceEvent& event) {
    ++calls;
    EXPECT_EQ(event.kind, TraceEvent::call);
    sys::settrace(trace.function());
  });
  leaf(1);
  sys::settrace({});
  EXPECT_EQ(calls, 1);
  EXPECT_THAT(plain(trace.lines()), ElementsAre("return leaf(int)"));
}

// An exception out of a function goes nowhere: it is reported, the function is removed, the other one stays.
TEST_F(Trace, ThrowingFunctionsAreReportedAndRemoved) {
  support::expect_child(support::exited(0), "the trace function of a thread raised std::runtime_error: broken and is",
                        [] {
                          Recorder other;
                          sys::settrace([](const TraceEvent&) { throw std::runtime_error("broken"); });
                          sys::setprofile(other.function());
                          leaf(1);
                          ASSERT_FALSE(sys::gettrace());
                          ASSERT_EQ(other.events().size(), 2u);
                        });
  support::expect_child(support::exited(0), "something that is no std::exception", [] {
    sys::settrace([](const TraceEvent&) { throw 1; });
    leaf(1);
  });
}

// A profile function that throws when a wait begins does not break the wait: it ends by its wake-up. Says so on stderr.
TEST_F(Trace, ThrowingFunctionsDoNotBreakWaits) {
  threading::Event go;
  std::atomic<bool> waits{false};
  std::thread waiter([&] {
    sys::setprofile([&](const TraceEvent&) {
      waits = true;
      throw std::logic_error("in a wait");
    });
    EXPECT_TRUE(go.wait());
    EXPECT_FALSE(sys::getprofile());
  });
  EXPECT_TRUE(support::eventually([&] { return waits.load(); }));
  go.set();
  waiter.join();
}

// The interrupted code finds errno as it was.
TEST_F(Trace, ErrnoIsKept) {
  sys::settrace([](const TraceEvent&) { errno = EDOM; });
  errno = ERANGE;
  leaf(1);
  EXPECT_EQ(errno, ERANGE);
}

// settrace() and setprofile() concern threads to come, not the one that calls.
TEST_F(Trace, SettingForNewThreadsLeavesThisOneAlone) {
  threading::settrace(trace.function());
  threading::setprofile(profile.function());
  leaf(1);
  EXPECT_THAT(trace.events(), IsEmpty());
  EXPECT_TRUE(threading::gettrace());
  EXPECT_TRUE(threading::getprofile());
  EXPECT_FALSE(sys::gettrace());
  threading::settrace({});
  EXPECT_FALSE(threading::gettrace());
  EXPECT_TRUE(threading::getprofile());
}

// The getter returns the function itself, not only that there is one.
TEST_F(Trace, GettersReturnWhatWasSet) {
  int calls = 0;
  threading::settrace([&](const TraceEvent&) { ++calls; });
  threading::gettrace()(TraceEvent{.kind = TraceEvent::line});
  EXPECT_EQ(calls, 1);
}

// A thread's functions are destroyed when it ends.
TEST_F(Trace, FunctionsEndWithTheirThread) {
  const auto witness = std::make_shared<int>(0);
  std::thread([&] {
    sys::settrace([witness](const TraceEvent&) { ++*witness; });
    leaf(1);
  }).join();
  EXPECT_EQ(*witness, 2);
  EXPECT_EQ(witness.use_count(), 1);
}

// The library itself is always a source; this program has no other.
TEST_F(Trace, AvailableEventsAreTold) {
  EXPECT_THAT(threading::events_available(),
              ElementsAre(TraceEvent::call, TraceEvent::return_, TraceEvent::c_call, TraceEvent::c_return));
  EXPECT_THAT(threading::trace_sources(), ElementsAre("library"));
}

// The names of kinds are Python's.
TEST_F(Trace, KindsHavePythonsNames) {
  EXPECT_EQ(to_string(TraceEvent::call), "call");
  EXPECT_EQ(to_string(TraceEvent::return_), "return");
  EXPECT_EQ(to_string(TraceEvent::line), "line");
  EXPECT_EQ(to_string(TraceEvent::exception), "exception");
  EXPECT_EQ(to_string(TraceEvent::c_call), "c_call");
  EXPECT_EQ(to_string(TraceEvent::c_return), "c_return");
}

}  // namespace
