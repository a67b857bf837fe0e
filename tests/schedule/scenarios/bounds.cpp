// SPDX-License-Identifier: MIT
//
// Waits with a bound that never comes near it. The lab's clock stands still while anybody can move, so a wait that
// polls, or that misses its wake and is saved by its bound, shows as time that has passed (Boost #142).
#include <threading/barrier.hpp>
#include <threading/condition.hpp>
#include <threading/event.hpp>
#include <threading/semaphore.hpp>
#include <threading/with.hpp>

#include "support.hpp"

namespace {

using namespace scenarios;
using threading::With;

template <class Body>
void takes_no_time(Body body) {
  const std::int64_t before = lab::monotonic_now();
  body();
  // A spin takes some microseconds of it.
  lab::check(lab::monotonic_now() - before < kSecond / 2, "no time has passed");
}

LAB_SCENARIO(bound_of_lock_is_not_used, "a bounded acquire ends with the release", {.bound = 6, .weak_bound = 4}) {
  threading::Lock lock;
  takes_no_time([&] {
    const auto use = [&] {
      lab::check(lock.acquire(seconds(1)), "acquired");
      lock.release();
    };
    lab::together({{"a", use}, {"b", use}});
  });
}

LAB_SCENARIO(bound_of_semaphore_is_not_used, "a bounded acquire ends with the unit", {.bound = 2, .weak_bound = 1}) {
  threading::Semaphore semaphore(0);
  takes_no_time([&] {
    const auto take = [&] { lab::check(semaphore.acquire(seconds(1)), "taken"); };
    lab::together({{"a", take}, {"b", take}, {"producer", [&] { semaphore.release(2); }}});
  });
}

LAB_SCENARIO(bound_of_event_is_not_used, "a bounded wait ends with set()", {.bound = 8}) {
  threading::Event event;
  takes_no_time([&] {
    lab::together({{"waiter", [&] { lab::check(event.wait(seconds(1)), "set"); }}, {"setter", [&] { event.set(); }}});
  });
}

LAB_SCENARIO(bound_of_condition_is_not_used, "a bounded wait ends with the notification",
             {.bound = 2, .weak_bound = 1}) {
  threading::Condition condition;
  int tokens = 0;
  takes_no_time([&] {
    const auto consume = [&] {
      With hold(condition);
      lab::check(condition.wait_for([&] { return tokens != 0; }, seconds(1)), "notified");
      --tokens;
    };
    lab::together({{"a", consume}, {"b", consume}, {"producer", [&] {
                                                      for (int i = 0; i < 2; ++i) {
                                                        With hold(condition);
                                                        ++tokens;
                                                        condition.notify();
                                                      }
                                                    }}});
  });
}

LAB_SCENARIO(bound_of_barrier_is_not_used, "a bounded wait ends with the last to arrive",
             {.bound = 3, .weak_bound = 2}) {
  threading::Barrier barrier(2, [] {});
  takes_no_time([&] {
    const auto pass = [&] {
      for (int i = 0; i < 2; ++i) barrier.wait(seconds(1));
    };
    lab::together({{"a", pass}, {"b", pass}});
  });
}

}  // namespace
