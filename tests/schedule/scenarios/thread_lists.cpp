// SPDX-License-Identifier: MIT
//
// Who is alive, listed and joined, seen by others at every moment of a start and an end.
#include <threading/embedding.hpp>
#include <threading/thread.hpp>
#include <threading/timer.hpp>

#include "support.hpp"

namespace {

using namespace scenarios;
using threading::Thread;
using threading::Timer;

LAB_SCENARIO(thread_listed_while_alive, "a thread that is not alive is not listed", {.bound = 3, .weak_bound = 2}) {
  Thread thread([] {});
  thread.start();
  while (thread.is_alive()) lab::yield();
  lab::check(threading::active_count() == 1, "only the main thread");
  thread.join();
}

// One start fails, and before it has taken everything back, another thread starts the same object.
LAB_SCENARIO(thread_started_again_by_another, "a failed start leaves the next one its native id",
             {.bound = 2, .weak_bound = 1, .faults = {.spawn = 1}, .pct_runs = 2000}) {
  Thread thread([] {});
  Atomic<bool> fails{false};
  lab::together({{"first",
                  [&] {
                    if (done([&] { thread.start(); }) == 0) fails.store(true, std::memory_order_relaxed);
                  }},
                 {"second", [&] {
                    if (done([&] { thread.start(); }) == 1) lab::check(thread.native_id().has_value(), "it is alive");
                  }}});
  if (done([&] { thread.join(); }) == 1) {
    lab::check(thread.native_id().has_value(), "it has run, and keeps its number");
  } else {
    lab::check(fails.load(std::memory_order_relaxed), "no start has gone well");
  }
}

LAB_SCENARIO(timer_listed_while_alive, "a timer that was joined is not listed", {.bound = 2, .weak_bound = 1}) {
  Timer timer(seconds(1), [] {});
  timer.start();
  timer.join();
  lab::check(threading::active_count() == 1, "only the main thread");
}

LAB_SCENARIO(thread_ended_is_joined_by_any_bound, "a bounded join of a thread that is not alive succeeds",
             {.bound = 2, .weak_bound = 1, .faults = {.timeouts = 1}}) {
  Thread thread([] {});
  thread.start();
  lab::together({{"claimer", [&] { thread.join(); }}, {"bounded", [&] {
                                                         if (thread.is_alive()) return;
                                                         lab::check(thread.join(seconds(1)), "it is over");
                                                       }}});
}

LAB_SCENARIO(thread_started_by_two, "a start that fails beside another start",
             {.bound = 2, .weak_bound = 1, .faults = {.spawn = 1}}) {
  Atomic<std::uint32_t> runs{0};
  Thread thread([&] { runs.fetch_add(1, std::memory_order_relaxed); });
  int started[2] = {};
  const auto start = [&](int which) { return [&, which] { started[which] = done([&] { thread.start(); }); }; };
  lab::together({{"a", start(0)}, {"b", start(1)}});
  lab::check(started[0] + started[1] <= 1, "once at most");
  if (started[0] + started[1] == 0) thread.start();
  thread.join();
  lab::check(runs.load(std::memory_order_relaxed) == 1, "it has run");
  lab::check(threading::active_count() == 1, "and nothing is left of it");
}

}  // namespace
