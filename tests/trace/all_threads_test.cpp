// SPDX-License-Identifier: MIT
//
// How functions reach threads that run already.
#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include <gmock/gmock.h>

#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/trace.hpp>

#include "support/support.hpp"
#include "trace/recorder.hpp"

namespace {

using namespace std::chrono_literals;
using threading::TraceEvent;
namespace sys = threading::sys;

void step() { THREADING_TRACE_SCOPE(); }

void pause() {
  threading::Event never;
  EXPECT_FALSE(never.wait(1us));
}

// Threads that produce events until they are told to stop.
class Busy {
 public:
  explicit Busy(int count, std::function<void()> work = step) {
    for (int i = 0; i < count; ++i) {
      threads_.add([this, work] {
        while (!stop_) {
          work();
          std::this_thread::yield();  // or under valgrind, which runs one thread at a time, nobody else would run
        }
      });
    }
    EXPECT_TRUE(support::eventually([&] { return threads_.started() == count; }));
  }
  ~Busy() { stop_ = true; }

 private:
  std::atomic<bool> stop_{false};
  support::Bunch threads_;
};

struct AllThreads : testing::Test {
  NoFunctionsAfterwards cleaner;
  std::atomic<int> calls{0};
  threading::TraceFunction counting() {
    return [this](const TraceEvent&) { ++calls; };
  }
};

// A thread that runs already gets the function at its next event.
TEST_F(AllThreads, RunningThreadsTakePart) {
  const Busy busy(1);
  EXPECT_EQ(calls, 0);
  threading::settrace_all_threads(counting());
  EXPECT_TRUE(support::eventually([&] { return calls > 10; }));
}

// The same for the profile function, by way of the library's own events.
TEST_F(AllThreads, WaitingThreadsTakePart) {
  const Busy busy(1, pause);
  threading::setprofile_all_threads(counting());
  EXPECT_TRUE(support::eventually([&] { return calls > 10; }));
}

// The calling thread is one of all, and at once.
TEST_F(AllThreads, TheCallerTakesPartAtOnce) {
  threading::settrace_all_threads(counting());
  EXPECT_TRUE(sys::gettrace());
  EXPECT_FALSE(sys::getprofile());
  step();
  EXPECT_EQ(calls, 2);
}

// So are threads to come.
TEST_F(AllThreads, ThreadsToComeTakePart) {
  threading::setprofile_all_threads(counting());
  EXPECT_TRUE(threading::getprofile());
  EXPECT_FALSE(threading::gettrace());
}

// An empty function takes every thread's away. Nothing else is left running by it.
TEST_F(AllThreads, AnEmptyFunctionEndsIt) {
  const auto witness = std::make_shared<std::atomic<int>>(0);
  const Busy busy(2);
  threading::settrace_all_threads([witness](const TraceEvent&) { ++*witness; });
  ASSERT_TRUE(support::eventually([&] { return *witness > 10; }));
  threading::settrace_all_threads({});
  // Each thread has dropped its share of the function.
  EXPECT_TRUE(support::eventually([&] { return witness.use_count() == 1; }));
}

// What changes one kind of function of all threads leaves the other kind alone.
TEST_F(AllThreads, TheOtherKindStays) {
  std::atomic<int> profiled{0};
  std::atomic<bool> armed{false};
  std::atomic<bool> stop{false};
  std::thread thread([&] {
    sys::setprofile([&](const TraceEvent&) { ++profiled; });
    armed = true;
    while (!stop) {
      step();
      std::this_thread::yield();
    }
  });
  ASSERT_TRUE(support::eventually([&] { return armed.load(); }));
  threading::settrace_all_threads(counting());
  ASSERT_TRUE(support::eventually([&] { return calls > 10; }));
  const int before = profiled;
  EXPECT_TRUE(support::eventually([&] { return profiled > before; }));
  stop = true;
  thread.join();
}

// What a thread sets for itself stays, although the change of all threads before it had not reached it yet.
TEST_F(AllThreads, TheLaterCallWins) {
  threading::Event set_for_all;
  threading::Event ready;
  std::thread thread([&] {
    ready.set();
    set_for_all.wait();
    int own = 0;
    sys::settrace([&](const TraceEvent&) { ++own; });
    const int before = calls;
    step();
    EXPECT_EQ(own, 2);
    EXPECT_EQ(calls, before);
  });
  ready.wait();
  threading::settrace_all_threads(counting());
  set_for_all.set();
  thread.join();
}

// Many threads change the functions while others produce events and look names up: nobody is lost, no race.
TEST_F(AllThreads, ChangesMeetEvents) {
  std::atomic<std::size_t> length{0};
  const auto function = [&](const TraceEvent& event) {
    length += event.name().size();
    ++calls;
  };
  {
    const Busy busy(2);
    const Busy waiting(1, pause);
    support::Bunch changing(2, [&](int index) {
      for (int i = 0; i < support::rounds(300); ++i) {
        index == 0 ? threading::settrace_all_threads(function) : threading::setprofile_all_threads(function);
        threading::settrace(function);
        if (i % 3 == 0) threading::setprofile_all_threads({});
        sys::settrace(function);
      }
    });
    changing.join();
    threading::settrace_all_threads(function);
    const int before = calls;
    EXPECT_TRUE(support::eventually([&] { return calls > before + 10; }));
  }
  EXPECT_GT(length, 0u);
}

// A child forked while other threads trace and look names up can trace, look up, and change functions.
TEST_F(AllThreads, SurviveFork) {
  threading::settrace_all_threads([&](const TraceEvent& event) {
    static_cast<void>(event.name());
    TraceEvent other = event;
    other.known_name = nullptr;
    other.function = &calls;
    static_cast<void>(other.name());
    ++calls;
  });
  const Busy busy(2);
  ASSERT_TRUE(support::eventually([&] { return calls > 10; }));
  for (int i = 0; i < support::rounds(20); ++i) {
    support::expect_child(support::exited(0), "", [&] {
      const int before = calls;
      step();
      EXPECT_EQ(calls, before + 2);
      Recorder recorder;
      threading::settrace_all_threads(recorder.function());
      step();
      threading::settrace_all_threads({});
      EXPECT_EQ(recorder.lines().size(), 2u);
    });
  }
}

}  // namespace
