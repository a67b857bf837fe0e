// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <threading/condition.hpp>
#include <threading/with.hpp>

namespace {

using namespace scenarios;
using threading::Condition;
using threading::Lock;
using threading::RLock;
using threading::With;
using Model = lab::models::Condition;

struct Guarded {
  Lock lock;
  Condition condition{lock};
};

Guarded* make_guarded() {
  auto* shared = lab::make<Guarded>("guarded");
  // Its word comes first: the address of the lock, or that of the last sign.
  const auto number = [](const void* at) { return std::uint64_t{reinterpret_cast<std::uintptr_t>(at)}; };
  lab::watch("Condition", &shared->condition, UINT64_MAX,
             {number(&shared->lock), number(std::end(threading::detail::condition_signs) - 1)});
  lab::watch("Lock", &shared->lock, 3, {0, 1, 2, 3});
  return shared;
}

LAB_SCENARIO(condition_no_lost_notify, "test, wait, notify: the classic",
             {.bound = 4, .weak_bound = 3, .faults = {.spurious = 1}}) {
  auto* shared = make_guarded();
  bool ready = false;
  lab::together({{"waiter",
                  [&] {
                    With hold(shared->condition);
                    while (!ready) lab::check(shared->condition.wait(), "notified");
                  }},
                 {"notifier", [&] {
                    With hold(shared->condition);
                    ready = true;
                    shared->condition.notify();
                  }}});
  lab::destroy(shared);
}

void wait_with_two_levels(Condition& condition) {
  bool ready = false;
  lab::together({{"waiter",
                  [&] {
                    condition.acquire();
                    condition.acquire();
                    while (!ready) condition.wait();
                    condition.release();
                    lab::check(condition.locked(), "one level is left");
                    condition.release();
                  }},
                 {"notifier", [&] {
                    condition.acquire();
                    ready = true;
                    condition.notify();
                    condition.release();
                  }}});
  lab::check(!condition.locked(), "free at the end");
}

LAB_SCENARIO(condition_over_own_rlock, "every level of an RLock is given up and restored",
             {.bound = 4, .weak_bound = 3}) {
  wait_with_two_levels(*lab::make<Condition>("condition"));
}

LAB_SCENARIO(condition_over_rlock, "the same over an RLock of somebody else's", {.bound = 3, .weak_bound = 2}) {
  auto* lock = lab::make<RLock>("lock");
  wait_with_two_levels(*lab::make<Condition>("condition", *lock));
}

void wait_in_history(Guarded& shared, bool bounded) {
  lab::run(Model::kAcquire, 0, [&] { shared.lock.acquire(); });
  lab::run(Model::kWait, bounded,
           [&] { return bounded ? shared.condition.wait(seconds(1)) : shared.condition.wait(); });
  lab::run(Model::kRelease, 0, [&] { shared.lock.release(); });
}

void notify_in_history(Guarded& shared, std::size_t n) {
  lab::run(Model::kAcquire, 0, [&] { shared.lock.acquire(); });
  lab::run(Model::kNotify, static_cast<std::int64_t>(n), [&] { shared.condition.notify(n); });
  lab::run(Model::kRelease, 0, [&] { shared.lock.release(); });
}

LAB_SCENARIO(condition_history, "a bounded wait and a notify are explained by one order",
             {.bound = 3, .weak_bound = 2, .faults = {.timeouts = 1, .interrupts = 1}}) {
  auto* shared = make_guarded();
  lab::together(
      {{"waiter", [&] { wait_in_history(*shared, true); }}, {"notifier", [&] { notify_in_history(*shared, 1); }}});
  lab::check_linearizable(Model{});
}

// nsync 215217c: requeue, a timeout of who was moved, and a second notify.
LAB_SCENARIO(condition_notify_twice_against_timeout, "requeue, timeout and a second notify",
             {.bound = 1, .weak_bound = 0, .faults = {.timeouts = 2}, .pct_runs = 2000}) {
  auto* shared = make_guarded();
  lab::together({{"w", [&] { wait_in_history(*shared, true); }},
                 {"v", [&] { wait_in_history(*shared, true); }},
                 {"notifier", [&] {
                    notify_in_history(*shared, 1);
                    notify_in_history(*shared, 1);
                  }}});
  lab::check_linearizable(Model{});
}

LAB_SCENARIO(condition_exact_count, "notify(1) wakes one of two, the first",
             {.bound = 1, .weak_bound = 1, .faults = {.timeouts = 1}, .pct_runs = 3000}) {
  auto* shared = make_guarded();
  lab::together({{"w", [&] { wait_in_history(*shared, true); }},
                 {"v", [&] { wait_in_history(*shared, true); }},
                 {"notifier", [&] { notify_in_history(*shared, 1); }}});
  lab::check_linearizable(Model{});
}

LAB_SCENARIO(condition_notify_all, "notify_all leaves nobody behind", {.bound = 2, .weak_bound = 1}) {
  auto* shared = make_guarded();
  bool ready = false;
  int out = 0;
  const auto wait = [&] {
    With hold(shared->condition);
    while (!ready) shared->condition.wait();
    ++out;
  };
  lab::together({{"w", wait}, {"v", wait}, {"notifier", [&] {
                                              With hold(shared->condition);
                                              ready = true;
                                              shared->condition.notify_all();
                                            }}});
  lab::check(out == 2, "both are out");
  lab::destroy(shared);
}

// glibc bug 25847: a signal stolen by a waiter of a later generation, and never given back.
LAB_SCENARIO(condition_generations, "waiters and notifiers in more generations than any group counter has",
             {.bound = 1, .weak_bound = 0, .pct_runs = 4000}) {
  auto* shared = make_guarded();
  int tokens = 0;
  const auto consume = [&] {
    for (int i = 0; i < 3; ++i) {
      With hold(shared->condition);
      while (tokens == 0) shared->condition.wait();
      --tokens;
    }
  };
  const auto produce = [&] {
    for (int i = 0; i < 3; ++i) {
      With hold(shared->condition);
      ++tokens;
      shared->condition.notify();
    }
  };
  lab::together({{"c", consume}, {"d", consume}, {"p", produce}, {"q", produce}});
  lab::check(tokens == 0, "all are consumed");
}

LAB_SCENARIO(condition_bounded_buffer, "one producer, one consumer, room for one", {.bound = 2, .pct_runs = 2000}) {
  auto* shared = make_guarded();
  int items = 0;
  lab::together({{"producer",
                  [&] {
                    for (int i = 0; i < 2; ++i) {
                      With hold(shared->condition);
                      shared->condition.wait_for([&] { return items == 0; });
                      ++items;
                      shared->condition.notify();
                    }
                  }},
                 {"consumer", [&] {
                    for (int i = 0; i < 2; ++i) {
                      With hold(shared->condition);
                      shared->condition.wait_for([&] { return items == 1; });
                      --items;
                      shared->condition.notify();
                    }
                  }}});
  lab::check(items == 0, "empty at the end");
}

// Three standard libraries: the stop callback notified between the waiter's test and its wait.
LAB_SCENARIO(condition_stop_against_notify, "stop, predicate and notify",
             {.bound = 2, .weak_bound = 1, .pct_runs = 2000}) {
  auto* shared = make_guarded();
  stop_source source;
  bool ready = false;
  bool result = false;
  lab::together({{"waiter",
                  [&] {
                    With hold(shared->condition);
                    result = shared->condition.wait_for([&] { return ready; }, threading::forever, source.get_token());
                    lab::check(result == ready, "the predicate's last value");
                  }},
                 {"notifier",
                  [&] {
                    With hold(shared->condition);
                    ready = true;
                    shared->condition.notify();
                  }},
                 {"stopper", [&] { source.request_stop(); }}});
}

LAB_SCENARIO(condition_stop_beside_a_waiter, "a notify is not spent on a waiter that was stopped",
             {.bound = 1, .pct_runs = 4000}) {
  auto* shared = make_guarded();
  stop_source source;
  int tokens = 0;
  lab::together(
      {{"stoppable",
        [&] {
          With hold(shared->condition);
          if (shared->condition.wait_for([&] { return tokens != 0; }, threading::forever, source.get_token())) {
            // It took the notification, so it passes the token on.
            shared->condition.notify();
          }
        }},
       {"patient",
        [&] {
          With hold(shared->condition);
          while (tokens == 0) shared->condition.wait();
        }},
       {"notifier",
        [&] {
          With hold(shared->condition);
          ++tokens;
          shared->condition.notify();
        }},
       {"stopper", [&] { source.request_stop(); }}});
}

LAB_SCENARIO(condition_wait_for_timeout, "wait_for returns what the predicate says after the deadline",
             {.bound = 3, .weak_bound = 2, .faults = {.timeouts = 1}}) {
  auto* shared = make_guarded();
  bool ready = false;
  lab::together({{"waiter",
                  [&] {
                    With hold(shared->condition);
                    const bool result = shared->condition.wait_for([&] { return ready; }, seconds(1));
                    lab::check(result == ready, "the predicate's last value");
                  }},
                 {"notifier", [&] {
                    With hold(shared->condition);
                    ready = true;
                    shared->condition.notify();
                  }}});
}

// A Lock may be released by others while somebody notifies: the free lock is marked, and the first is woken.
LAB_SCENARIO(condition_notify_while_lock_is_released, "notify while another thread releases the lock",
             {.bound = 3, .weak_bound = 2}) {
  auto* shared = make_guarded();
  bool waiting = false;
  lab::together({{"waiter",
                  [&] {
                    shared->lock.acquire();
                    waiting = true;
                    lab::check(shared->condition.wait(), "notified");
                    waiting = false;
                    shared->lock.release();
                  }},
                 {"notifier", [&] {
                    for (bool done = false; !done;) {
                      shared->lock.acquire();
                      done = waiting;
                      if (!done) {
                        shared->lock.release();
                        lab::yield();
                      }
                    }
                    lab::together({{"releaser", [&] { shared->lock.release(); }},
                                   {"second", [&] {
                                      if (scenarios::done([&] { shared->condition.notify(); }) == 0) {
                                        shared->lock.acquire();
                                        shared->condition.notify();
                                        shared->lock.release();
                                      }
                                    }}});
                  }}});
  lab::check(!shared->lock.locked(), "free at the end");
}

LAB_SCENARIO(condition_destroyed_by_waiter, "the last waiter out destroys it", {.bound = 5, .weak_bound = 4}) {
  auto* lock = lab::make<Lock>("lock");
  auto* condition = lab::make<Condition>("condition", *lock);
  bool ready = false;
  lab::together({{"waiter",
                  [&] {
                    lock->acquire();
                    while (!ready) condition->wait();
                    lock->release();
                    lab::destroy(condition);
                  }},
                 {"notifier", [&] {
                    lock->acquire();
                    ready = true;
                    condition->notify();
                    lock->release();
                  }}});
  lab::destroy(lock);
}

// A foreign lock: a spin lock of the scenario's own.
struct SpinLock {
  Atomic<bool> held{false};
  void lock() noexcept {
    while (held.exchange(true, std::memory_order_acquire)) lab::cpu_relax();
  }
  void unlock() noexcept { held.store(false, std::memory_order_release); }
};

LAB_SCENARIO(condition_foreign_lock, "the same promises over somebody else's lock",
             {.bound = 6, .weak_bound = 5, .faults = {.timeouts = 1}}) {
  SpinLock lock;
  threading::ConditionOver<SpinLock> condition(lock);
  bool ready = false;
  lab::together({{"waiter",
                  [&] {
                    lock.lock();
                    const bool result = condition.wait_for([&] { return ready; }, seconds(1));
                    lab::check(result == ready, "the predicate's last value");
                    lock.unlock();
                  }},
                 {"notifier", [&] {
                    lock.lock();
                    ready = true;
                    condition.notify();
                    lock.unlock();
                  }}});
}

LAB_SCENARIO(condition_foreign_two_waiters, "notify(1) twice over somebody else's lock lets both go", {.bound = 2}) {
  SpinLock lock;
  threading::ConditionOver<SpinLock> condition(lock);
  int tokens = 0;
  const auto wait = [&] {
    lock.lock();
    while (tokens == 0) condition.wait();
    --tokens;
    lock.unlock();
  };
  lab::together({{"w", wait}, {"v", wait}, {"notifier", [&] {
                                              for (int i = 0; i < 2; ++i) {
                                                lock.lock();
                                                ++tokens;
                                                condition.notify();
                                                lock.unlock();
                                              }
                                            }}});
}

LAB_SCENARIO(condition_timeout_beside_a_waiter, "one gives up, a later notify still finds the other",
             {.bound = 1, .faults = {.timeouts = 1}}) {
  auto* shared = make_guarded();
  bool ready = false;
  lab::together({{"timed",
                  [&] {
                    With hold(shared->condition);
                    if (!ready) shared->condition.wait(seconds(1));
                  }},
                 {"patient",
                  [&] {
                    With hold(shared->condition);
                    while (!ready) shared->condition.wait();
                  }},
                 {"notifier", [&] {
                    With hold(shared->condition);
                    ready = true;
                    shared->condition.notify_all();
                  }}});
}

LAB_SCENARIO(condition_two_over_one_lock, "two conditions share a lock and do not mix", {.bound = 2, .weak_bound = 1}) {
  auto* lock = lab::make<Lock>("lock");
  auto* one = lab::make<Condition>("one", *lock);
  auto* two = lab::make<Condition>("two", *lock);
  int stage = 0;
  lab::together({{"a",
                  [&] {
                    With hold(*one);
                    while (stage != 1) one->wait();
                    stage = 2;
                    two->notify();
                  }},
                 {"b",
                  [&] {
                    With hold(*two);
                    while (stage != 2) two->wait();
                  }},
                 {"starter", [&] {
                    With hold(*one);
                    stage = 1;
                    one->notify();
                  }}});
}

}  // namespace
