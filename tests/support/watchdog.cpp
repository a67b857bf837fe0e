// SPDX-License-Identifier: MIT
#include "support/watchdog.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/delays.hpp"
#include "support/os_threads.hpp"

#if defined(THREADING_TEST_VALGRIND)
#include <valgrind/valgrind.h>
#endif

namespace support {
namespace {

using Clock = std::chrono::steady_clock;

// Never destroyed: in a child made by fork the watching thread is gone, and destructors that run at the child's exit
// would wait for it.
struct State {
  std::mutex mutex;  // guards what follows, but for the thread
  std::condition_variable changed;
  std::optional<Clock::time_point> limit;  // of the running test, if one runs
  std::string test;
  bool watching = false;
  bool ended = false;
  std::vector<std::function<void(std::ostream&)>> reports;

  std::optional<std::thread> watcher;
};

State& state() {
  static State& instance = *new State;
  return instance;
}

[[noreturn]] void bite() {
  std::cerr << "\nwatchdog: " << state().test << " hangs\n";
  print_os_threads(std::cerr);
  // The report takes the library's locks; should it hang as well, the process must still end.
  ::signal(SIGALRM, SIG_DFL);
  sigset_t alarm_only;
  sigemptyset(&alarm_only);
  sigaddset(&alarm_only, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &alarm_only, nullptr);
  ::alarm(10);
  for (const auto& report : state().reports) report(std::cerr);
  std::cerr << std::flush;
  std::abort();
}

void watch() {
  std::unique_lock hold(state().mutex);
  state().watching = true;
  state().changed.notify_all();
  while (!state().ended) {
    if (!state().limit) {
      state().changed.wait(hold);
    } else if (const Clock::time_point limit = *state().limit; Clock::now() < limit) {
      state().changed.wait_until(hold, limit);
    } else {
      bite();
    }
  }
}

class Watchdog : public testing::EmptyTestEventListener {
  void OnTestProgramStart(const testing::UnitTest&) override {
    // The tests' signals are for the tests' threads.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    state().watcher.emplace(watch);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    // A test may fork at once, and a thread that is just being started holds locks of the address sanitizer, which its
    // child would find taken for ever.
    std::unique_lock hold(state().mutex);
    state().changed.wait(hold, [] { return state().watching; });
  }

  void OnTestStart(const testing::TestInfo& test) override {
    const std::scoped_lock hold(state().mutex);
    state().test = std::string(test.test_suite_name()) + "." + test.name();
    state().limit = Clock::now() + scaled(std::chrono::seconds(60)) +
                    std::chrono::duration_cast<Clock::duration>(std::chrono::seconds(10) * stress_scale());
    state().changed.notify_all();
  }

  void OnTestEnd(const testing::TestInfo&) override {
    const std::scoped_lock hold(state().mutex);
    state().limit.reset();
    state().changed.notify_all();
  }

  void OnTestProgramEnd(const testing::UnitTest&) override {
    {
      const std::scoped_lock hold(state().mutex);
      state().ended = true;
      state().changed.notify_all();
    }
    state().watcher->join();
  }
};

}  // namespace

void add_watchdog_report(std::function<void(std::ostream&)> report) {
  const std::scoped_lock hold(state().mutex);
  state().reports.push_back(std::move(report));
}

void install_watchdog() {
#if defined(THREADING_TEST_VALGRIND)
  // Drd keeps what each thread did until all others have learnt of it, and the watching one learns of nothing. What
  // hangs is ended by ctest.
  if (RUNNING_ON_VALGRIND) return;
#endif
  testing::UnitTest::GetInstance()->listeners().Append(new Watchdog);
}

}  // namespace support
