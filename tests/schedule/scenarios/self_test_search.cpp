// SPDX-License-Identifier: MIT
//
// The search of the lab tried on steps that change no memory: the state after one is not the state before it, seen
// already. Each scenario fails in one order only, too rare for random runs.
#include <schedule/lab/lab.hpp>

#include <cstdlib>

namespace {

using std::memory_order_relaxed;

// One thread passes; that another looks on while it is at its fourth step takes one preemption.
struct Steps {
  lab::atomic<int> at{0};
  lab::atomic<bool> was_seen{false};

  void pass() {
    for (int i = 1; i <= 8; ++i) at.store(i, memory_order_relaxed);
  }
  void look() {
    int fourths = 0;
    for (int i = 0; i < 12; ++i) fourths += at.load(memory_order_relaxed) == 4 ? 1 : 0;
    if (fourths == 12) was_seen.store(true, memory_order_relaxed);
  }
  void check() const { lab::check(!was_seen.load(memory_order_relaxed), "nobody looks just then"); }
};

Steps* steps_at_exit = nullptr;

LAB_SCENARIO(lab_exit_goes_on, "a process that exits runs its handlers at once, and another moves between their steps",
             {.bound = 2, .weak = false, .expect = "assertion"}) {
  auto* const steps = lab::make<Steps>("steps");
  steps_at_exit = steps;
  std::atexit([] { steps_at_exit->pass(); });
  lab::set_exit_check([] { steps_at_exit->check(); });
  lab::spawn("looks", [steps] { steps->look(); });
  lab::exit_process();
}

LAB_SCENARIO(lab_sleep_that_is_over, "who sleeps until a time that has passed goes on at once",
             {.bound = 2, .weak = false, .expect = "assertion"}) {
  auto* const steps = lab::make<Steps>("steps");
  lab::together({{"sleeps",
                  [&] {
                    lab::sleep_until(0);
                    steps->pass();
                  }},
                 {"looks", [&] { steps->look(); }}});
  steps->check();
}

}  // namespace
