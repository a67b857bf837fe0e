// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <threading/lock.hpp>
#include <threading/with.hpp>

namespace {

using namespace scenarios;
using threading::Lock;
using Model = lab::models::Lock;

// Named for the report: bit 0 held, bit 1 parked; the owner does not matter there.
Lock* make_lock() {
  auto* lock = lab::make<Lock>("lock");
  lab::watch("Lock", lock, 3, {0, 1, 2, 3});
  return lock;
}

LAB_SCENARIO(lock_two_threads, "two threads count under a lock", {.bound = 8}) {
  auto* lock = make_lock();
  int n = 0;
  const auto count = [&] {
    lock->acquire();
    ++n;
    lock->release();
  };
  lab::together({{"a", count}, {"b", count}});
  lab::check(n == 2, "both count");
  lab::destroy(lock);
}

LAB_SCENARIO(lock_three_threads, "three threads count under a lock",
             {.bound = 2, .weak_bound = 1, .faults = {.spurious = 1, .weak_cas = 1}}) {
  auto* lock = make_lock();
  int n = 0;
  const auto count = [&] {
    lock->acquire();
    ++n;
    lock->release();
  };
  lab::together({{"a", count}, {"b", count}, {"c", count}});
  lab::check(n == 3, "all count");
  lab::destroy(lock);
}

LAB_SCENARIO(lock_again_and_again, "barging and hand-over between threads that come back",
             {.bound = 2, .weak_bound = 1, .faults = {.clock_jumps = 1}, .pct_runs = 2000}) {
  auto* lock = make_lock();
  int n = 0;
  const auto count = [&] {
    for (int i = 0; i < 2; ++i) {
      lock->acquire();
      ++n;
      lock->release();
    }
  };
  lab::together({{"a", count}, {"b", count}, {"c", count}});
  lab::check(n == 6, "all count");
  lab::check(!lock->locked(), "free at the end");
}

// parking_lot a0d2de0: a flag cleared on timeout without the queue's lock.
LAB_SCENARIO(lock_timeout_against_release, "a deadline and a release at the same time",
             {.bound = 3, .faults = {.timeouts = 1, .interrupts = 1}}) {
  auto* lock = make_lock();
  int n = 0;
  lab::together({{"holder",
                  [&] {
                    lock->acquire();
                    ++n;
                    lock->release();
                  }},
                 {"timed", [&] {
                    if (lock->acquire(seconds(1))) {
                      ++n;
                      lock->release();
                    }
                  }}});
  lab::check(!lock->locked(), "free at the end");
  lab::destroy(lock);
}

LAB_SCENARIO(lock_timeout_beside_a_waiter, "one gives up, the other must still be let in",
             {.bound = 2, .faults = {.timeouts = 1}}) {
  auto* lock = make_lock();
  int n = 0;
  lab::together({{"holder",
                  [&] {
                    lock->acquire();
                    ++n;
                    lock->release();
                  }},
                 {"timed",
                  [&] {
                    if (lock->acquire(seconds(1))) {
                      ++n;
                      lock->release();
                    }
                  }},
                 {"patient", [&] {
                    lock->acquire();
                    ++n;
                    lock->release();
                  }}});
  lab::check(n >= 2 && !lock->locked(), "the patient one got it");
}

LAB_SCENARIO(lock_stop_beside_a_waiter, "a stop request takes one away, the other must still be let in",
             {.bound = 2, .weak_bound = 1}) {
  auto* lock = make_lock();
  stop_source source;
  int n = 0;
  lab::together({{"holder",
                  [&] {
                    lock->acquire();
                    ++n;
                    lock->release();
                    source.request_stop();
                  }},
                 {"stoppable",
                  [&] {
                    if (lock->acquire(threading::forever, source.get_token())) {
                      ++n;
                      lock->release();
                    }
                  }},
                 {"patient", [&] {
                    lock->acquire();
                    ++n;
                    lock->release();
                  }}});
  lab::check(n >= 2 && !lock->locked(), "the patient one got it");
}

LAB_SCENARIO(lock_history, "tries and releases are explained by one order", {.bound = 2, .faults = {.timeouts = 1}}) {
  auto* lock = make_lock();
  const auto try_once = [&] {
    if (lab::run(Model::kAcquire, 0, [&] { return lock->acquire(false); })) {
      lab::run(Model::kRelease, 0, [&] { return done([&] { lock->release(); }); });
    }
  };
  lab::together({{"a", try_once},
                 {"b",
                  [&] {
                    if (lab::run(Model::kAcquire, 1, [&] { return lock->acquire(seconds(1)); })) {
                      lab::run(Model::kRelease, 0, [&] { return done([&] { lock->release(); }); });
                    }
                  }},
                 {"c", [&] {
                    lab::run(Model::kAcquire, 0, [&] { return lock->acquire(); });
                    lab::run(Model::kRelease, 0, [&] { return done([&] { lock->release(); }); });
                  }}});
  lab::check_linearizable(Model{});
}

LAB_SCENARIO(lock_released_by_others, "any thread may release; one too many is an error", {.bound = 2}) {
  auto* lock = make_lock();
  const auto release = [&] { lab::run(Model::kRelease, 0, [&] { return done([&] { lock->release(); }); }); };
  lab::run(Model::kAcquire, 0, [&] { return lock->acquire(); });
  lab::together({{"a", release}, {"b", release}, {"c", [&] {
                                                    lab::run(Model::kAcquire, 0, [&] { return lock->acquire(); });
                                                    release();
                                                  }}});
  lab::check_linearizable(Model{});
}

// CPython gh-148820, Abseil 9444b11e: the releaser still touched what the next owner had destroyed.
LAB_SCENARIO(lock_destroyed_by_next_owner, "after release() only the address is used",
             {.bound = 5, .weak_bound = 4, .faults = {.clock_jumps = 1}}) {
  auto* lock = make_lock();
  lock->acquire();
  lab::together({{"releaser", [&] { lock->release(); }}, {"next", [&] {
                                                            lock->acquire();
                                                            lock->release();
                                                            lab::destroy(lock);
                                                          }}});
}

LAB_SCENARIO(lock_destroyed_after_hand_over, "the same with a waiter that was queued first",
             {.bound = 3, .weak_bound = 2, .faults = {.timeouts = 1, .clock_jumps = 1}}) {
  auto* lock = make_lock();
  Atomic<std::uint32_t> left{2};
  const auto use = [&](auto acquire) {
    if (acquire()) lock->release();
    if (left.fetch_sub(1, std::memory_order_acq_rel) == 1) lab::destroy(lock);
  };
  lab::together({{"a", [&] { use([&] { return lock->acquire(); }); }},
                 {"b", [&] { use([&] { return lock->acquire(seconds(1)); }); }}});
}

// A waiter older than a millisecond is handed the lock: nobody can overtake it then.
LAB_SCENARIO(lock_overdue_waiter, "a hand-over makes the waiter the owner before it runs",
             {.bound = 4, .weak_bound = 3, .faults = {.clock_jumps = 2}}) {
  auto* lock = make_lock();
  int n = 0;
  lab::together({{"holder",
                  [&] {
                    lock->acquire();
                    ++n;
                    lock->release();
                    if (lock->acquire(false)) {
                      ++n;
                      lock->release();
                    }
                  }},
                 {"waiter", [&] {
                    lock->acquire();
                    ++n;
                    lock->release();
                  }}});
  lab::check(n >= 2 && !lock->locked(), "free at the end");
}

LAB_SCENARIO(lock_spinning, "two processors: contenders spin on the word", {.bound = 6, .cpus = 2}) {
  auto* lock = make_lock();
  int n = 0;
  const auto count = [&] {
    lock->acquire();
    ++n;
    lock->release();
  };
  lab::together({{"a", count}, {"b", count}});
  lab::check(n == 2, "both count");
}

LAB_SCENARIO(lock_guard, "With releases on every path", {.bound = 4, .weak_bound = 2, .faults = {.timeouts = 1}}) {
  auto* lock = make_lock();
  int n = 0;
  lab::together({{"a",
                  [&] {
                    threading::With hold(*lock);
                    ++n;
                  }},
                 {"b", [&] {
                    if (threading::With hold{*lock, seconds(1)}) ++n;
                  }}});
  lab::check(!lock->locked(), "free at the end");
}

}  // namespace
