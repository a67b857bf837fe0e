// SPDX-License-Identifier: MIT
#include <schedule/lab/lab.hpp>
#include <threading/lock.hpp>
#include <threading/with.hpp>

namespace {

using threading::Lock;
using threading::With;

LAB_SCENARIO(lock_two_threads, "two threads count under a lock", {.bound = 8}) {
  auto* lock = lab::make<Lock>("lock");
  int n = 0;
  const auto count = [&] { lock->acquire(); ++n; lock->release(); };
  lab::together({{"a", count}, {"b", count}});
  lab::check(n == 2, "both count");
  lab::destroy(lock);
}

LAB_SCENARIO(lock_three_threads, "three threads count under a lock", {.bound = 2, .faults = {.spurious = 1}}) {
  auto* lock = lab::make<Lock>("lock");
  int n = 0;
  const auto count = [&] { lock->acquire(); ++n; lock->release(); };
  lab::together({{"a", count}, {"b", count}, {"c", count}});
  lab::check(n == 3, "all count");
  lab::destroy(lock);
}

LAB_SCENARIO(lock_timeout_against_release, "a deadline and a release at the same time",
             {.bound = 3, .faults = {.timeouts = 1, .interrupts = 1}}) {
  auto* lock = lab::make<Lock>("lock");
  int n = 0;
  lab::together({{"holder", [&] { lock->acquire(); ++n; lock->release(); }},
                 {"timed", [&] {
                    if (lock->acquire(std::chrono::seconds(1))) { ++n; lock->release(); }
                  }}});
  lab::check(!lock->locked(), "free at the end");
  lab::destroy(lock);
}

}  // namespace
