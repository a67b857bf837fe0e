// SPDX-License-Identifier: MIT
//
// What the archives deliver from functions.cpp. Built once for each way of instrumenting calls; USES_XRAY tells which.
#include <stdexcept>
#include <vector>

#include <gmock/gmock.h>

#include <threading/trace.hpp>

#include "functions.hpp"
#include "support/support.hpp"
#include "trace/recorder.hpp"

namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::IsSupersetOf;
using testing::Not;
using threading::TraceEvent;
namespace sys = threading::sys;

#if defined(USES_XRAY)
constexpr bool kXray = true;
#else
constexpr bool kXray = false;
#endif
#if defined(__clang__)
constexpr bool kReturnsOnException = false;
constexpr bool kExcludesTemplates = kXray;
#else
constexpr bool kReturnsOnException = true;
constexpr bool kExcludesTemplates = true;
#endif

struct Functions : testing::Test {
  NoFunctionsAfterwards cleaner;
  Recorder recorder;

  // What happens in the course of `work`, without line events. Where the compiler cannot leave out the standard
  // library's templates, the program shares instrumented copies of them: leave those out here.
  template <class Work>
  std::vector<std::string> trace(Work work) {
    recorder.forget();
    sys::settrace([this](const TraceEvent& event) {
      if (event.kind == TraceEvent::line) return;
      if (!kExcludesTemplates && event.kind != TraceEvent::exception && !event.name().starts_with("traced::")) return;
      recorder.function()(event);
    });
    work();
    sys::settrace({});
    return recorder.lines();
  }
};

// Functions that know nothing of the library produce the events of their calls.
TEST_F(Functions, CallsAreTraced) {
  EXPECT_THAT(trace([] { traced::branch(1); }),
              ElementsAre("call traced::branch(int)", "call traced::leaf(int)", "return traced::leaf(int)",
                          "call traced::leaf(int)", "return traced::leaf(int)", "return traced::branch(int)"));
}

// Calls are told apart by the address of the function, which is the function's own, and by call site where known.
TEST_F(Functions, EventsHaveAddresses) {
  trace([] { traced::branch(1); });
  const auto& events = recorder.events();
  ASSERT_EQ(events.size(), 6u);
  EXPECT_EQ(events[0].function, reinterpret_cast<const void*>(&traced::branch));
  EXPECT_EQ(events[1].function, events[2].function);
  if (kXray) {
    EXPECT_EQ(events[1].call_site, nullptr);
  } else {
    EXPECT_NE(events[1].call_site, events[3].call_site);
  }
}

// With debugging information they also have a place.
TEST_F(Functions, EventsHavePlaces) {
  trace([] { traced::first_line(); });
  ASSERT_FALSE(recorder.events().empty());
  const auto place = recorder.events()[0].where();
  if (place.line == 0) GTEST_SKIP() << "no debugging information, or no reader of it";
  EXPECT_THAT(std::string(place.file), EndsWith("functions.cpp"));
  EXPECT_EQ(place.line, traced::first_line());
}

// An exception is an event at the throw, with its type; the return event is up to the compiler.
TEST_F(Functions, ExceptionsAreTraced) {
  std::vector<std::string> expected{"call traced::catcher()", "call traced::thrower()", "exception traced::thrower()"};
  if (kReturnsOnException) expected.push_back("return traced::thrower()");
  expected.push_back("return traced::catcher()");
  EXPECT_EQ(trace([] { traced::catcher(); }), expected);
  EXPECT_EQ(recorder.events()[2].exception_name(), "std::runtime_error");
  EXPECT_EQ(*recorder.events()[2].exception_type, typeid(std::runtime_error));
}

// Exceptions that the runtime itself throws pass the same way.
TEST_F(Functions, ExceptionsOfTheRuntimeAreTraced) {
  trace([] { EXPECT_THROW(static_cast<void>(std::vector<int>().at(1)), std::out_of_range); });
  ASSERT_EQ(recorder.count(TraceEvent::exception), 1);
  const auto thrown = std::ranges::find(recorder.events(), TraceEvent::exception, &TraceEvent::kind);
  EXPECT_EQ(thrown->exception_name(), "std::out_of_range");
}

// A trace function may use instrumented functions and throw: neither recursion nor a second event.
TEST_F(Functions, InstrumentedFunctionsInAFunctionAreSilent) {
  int calls = 0;
  sys::settrace([&](const TraceEvent& event) {
    if (event.kind == TraceEvent::line || !event.name().starts_with("traced::")) return;
    ++calls;
    traced::branch(1);
    traced::strings();
    traced::catcher();
  });
  traced::leaf(1);
  sys::settrace({});
  EXPECT_EQ(calls, 2);
}

// Code that shares templates with the library's own does not make it trace itself.
TEST_F(Functions, TheLibrarysOwnTemplatesAreSilent) {
  const auto lines = trace([] { traced::strings(); });
  EXPECT_THAT(lines, AllOf(Contains("call traced::strings()"), Contains("return traced::strings()")));
  if (kExcludesTemplates) {
    EXPECT_THAT(lines, Not(Contains(testing::HasSubstr("call std::"))));
  }
}

// A function that calls an inline one returns once, whatever becomes of that.
TEST_F(Functions, InlineFunctionsAreTraced) {
  const auto lines = trace([] { traced::calls_inlined(1); });
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines.front(), "call traced::calls_inlined(int)");
  EXPECT_EQ(lines.back(), "return traced::calls_inlined(int)");
  EXPECT_EQ(recorder.count(TraceEvent::call), recorder.count(TraceEvent::return_));
}

// Lines are approximate, yet each is in its function. Templates shared with the instrumented source may appear too.
TEST_F(Functions, LinesAreTraced) {
  std::vector<TraceEvent> lines;
  sys::settrace([&](const TraceEvent& event) {
    if (event.kind == TraceEvent::line) lines.push_back(event);
  });
  traced::branch(1);
  sys::settrace({});
  ASSERT_GE(lines.size(), 3u);
  std::vector<std::string> names;
  for (const auto& line : lines) names.emplace_back(line.name());
  EXPECT_THAT(names, AllOf(Contains("traced::branch(int)"), Contains("traced::leaf(int)")));
  for (const auto& line : lines) {
    if (line.where().line == 0 || !line.name().starts_with("traced::")) continue;
    EXPECT_THAT(std::string(line.where().file), EndsWith("functions.cpp"));
  }
}

// A profile function gets calls, and neither lines nor exceptions.
TEST_F(Functions, ProfileFunctionsSeeCallsOnly) {
  sys::setprofile(recorder.function());
  traced::catcher();
  sys::setprofile({});
  EXPECT_GE(recorder.count(TraceEvent::call), 2);
  EXPECT_EQ(recorder.count(TraceEvent::exception), 0);
  EXPECT_EQ(recorder.count(TraceEvent::line), 0);
}

// The program knows what it was linked with.
TEST_F(Functions, SourcesAreTold) {
  EXPECT_THAT(threading::events_available(),
              ElementsAre(TraceEvent::call, TraceEvent::return_, TraceEvent::line, TraceEvent::exception,
                          TraceEvent::c_call, TraceEvent::c_return));
  const auto sources = threading::trace_sources();
  EXPECT_EQ(sources.size(), 4u);
  EXPECT_THAT(sources, IsSupersetOf({std::string_view(kXray ? "xray" : "instrument"), std::string_view("library"),
                                     std::string_view("lines"), std::string_view("throw")}));
}

// Threads that run instrumented code get their functions while they run, in each its own.
TEST_F(Functions, ThreadsAreTracedSeparately) {
  support::Bunch bunch(3, [](int) {
    int events = 0;
    sys::settrace([&](const TraceEvent& event) {
      if (event.kind != TraceEvent::line && event.name().starts_with("traced::")) ++events;
    });
    for (int i = 0; i < 100; ++i) traced::branch(1);
    sys::settrace({});
    EXPECT_EQ(events, 600);
  });
}

}  // namespace
