// SPDX-License-Identifier: MIT
//
// exit(): who is waited for, who is stopped, and that nobody keeps the process.
#include <threading/embedding.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/thread.hpp>
#include <threading/timer.hpp>

#include "support.hpp"

namespace {

using namespace scenarios;
using threading::Thread;

// Outlives the executions only as far as the lab undoes it.
Atomic<std::uint32_t> progress_made{0};

void expect_all(std::uint32_t expected) {
  lab::check(progress_made.load(std::memory_order_acquire) == expected, "everybody was waited for");
}

LAB_SCENARIO(shutdown_waits, "exit() waits for a thread that is no daemon", {.bound = 4, .weak_bound = 2}) {
  Thread thread([] { progress_made.fetch_add(1, std::memory_order_release); });
  thread.start();
  threading::Embedding::on_shutdown([] {});
  lab::set_exit_check([] { expect_all(1); });
  lab::exit_process();
}

LAB_SCENARIO(shutdown_waits_for_late_threads, "also for a thread that a thread starts meanwhile",
             {.bound = 2, .weak_bound = 1, .pct_runs = 2000}) {
  Thread thread([] {
    Thread late([] { progress_made.fetch_add(1, std::memory_order_release); });
    if (done([&] { late.start(); }) == 0) lab::fail("the process has not ended yet");
    progress_made.fetch_add(1, std::memory_order_release);
  });
  thread.start();
  lab::set_exit_check([] { expect_all(2); });
  lab::exit_process();
}

LAB_SCENARIO(shutdown_leaves_daemons, "a daemon keeps nobody, wherever it is", {.bound = 4, .weak_bound = 3}) {
  auto* lock = lab::make<threading::Lock>("lock");
  Thread daemon({.daemon = true}, [=] {
    lock->acquire();
    static_cast<void>(threading::active_count());
    lock->release();
    lock->acquire();
  });
  daemon.start();
  lab::exit_process();
}

LAB_SCENARIO(shutdown_frozen_daemon_holds_nothing, "a daemon stops without any lock of the library",
             {.bound = 3, .weak_bound = 2}) {
  Thread daemon({.daemon = true}, [] {
    for (int i = 0; i < 2; ++i) static_cast<void>(threading::enumerate());
  });
  daemon.start();
  lab::set_exit_check([] {
    static_cast<void>(threading::enumerate());
    static_cast<void>(threading::main_thread().name());
  });
  lab::exit_process();
}

LAB_SCENARIO(shutdown_main_is_joined, "a thread that joins the main thread is let go at exit",
             {.bound = 4, .weak_bound = 2, .pct_runs = 2000}) {
  static_cast<void>(threading::current_thread());
  Thread thread([] {
    threading::main_thread().join();
    progress_made.fetch_add(1, std::memory_order_release);
  });
  thread.start();
  lab::set_exit_check([] { expect_all(1); });
  lab::exit_process();
}

LAB_SCENARIO(shutdown_waits_for_timers, "a pending timer is a thread to wait for",
             {.bound = 4, .weak_bound = 2, .pct_runs = 1000}) {
  threading::Timer timer(seconds(1), [] { progress_made.fetch_add(1, std::memory_order_release); });
  timer.start();
  lab::set_exit_check([] { expect_all(1); });
  lab::exit_process();
}

LAB_SCENARIO(shutdown_refuses_new_threads, "after the end has begun for good, a start throws and changes nothing",
             {.bound = 4, .weak_bound = 2}) {
  Thread first([] {});
  first.start();
  lab::set_exit_check([] {
    Thread late([] { lab::fail("it must not run"); });
    lab::check(done([&] { late.start(); }) == 0, "refused");
    lab::check(!late.is_alive(), "fresh");
  });
  lab::exit_process();
}

LAB_SCENARIO(shutdown_callback_adds_another, "a callback may ask for another one", {.bound = 2}) {
  threading::Embedding::on_shutdown([] {
    threading::Embedding::on_shutdown([] { progress_made.fetch_add(1, std::memory_order_release); });
    progress_made.fetch_add(1, std::memory_order_release);
  });
  lab::set_exit_check([] { expect_all(2); });
  lab::exit_process();
}

}  // namespace
