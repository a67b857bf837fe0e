// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <threading/rlock.hpp>

namespace {

using namespace scenarios;
using threading::RLock;
using Model = lab::models::RLock;

RLock* make_rlock() {
  auto* lock = lab::make<RLock>("rlock");
  lab::watch("RLock", lock, 3, {0, 1, 2, 3});
  return lock;
}

LAB_SCENARIO(rlock_nested, "levels are counted, others wait for the last", {.bound = 4}) {
  auto* lock = make_rlock();
  int n = 0;
  const auto count = [&] {
    lock->acquire();
    lock->acquire();
    ++n;
    lock->release();
    ++n;
    lock->release();
  };
  lab::together({{"a", count}, {"b", count}});
  lab::check(n == 4 && !lock->locked(), "all count");
  lab::destroy(lock);
}

LAB_SCENARIO(rlock_hand_over, "three threads, with hand-over: the owner is known before it runs",
             {.bound = 2, .weak_bound = 1, .faults = {.clock_jumps = 1}, .pct_runs = 2000}) {
  auto* lock = make_rlock();
  int n = 0;
  const auto count = [&] {
    lock->acquire();
    lab::check(lock->acquire(false), "the owner may enter again");
    ++n;
    lock->release();
    lock->release();
  };
  lab::together({{"a", count}, {"b", count}, {"c", count}});
  lab::check(n == 3 && !lock->locked(), "all count");
}

LAB_SCENARIO(rlock_history, "acquisitions, releases and misuse are explained by one order",
             {.bound = 2, .faults = {.timeouts = 1}}) {
  auto* lock = make_rlock();
  const auto release = [&] { lab::run(Model::kRelease, 0, [&] { return done([&] { lock->release(); }); }); };
  lab::together({{"nested",
                  [&] {
                    lab::run(Model::kAcquire, 0, [&] { return lock->acquire(); });
                    lab::run(Model::kAcquire, 0, [&] { return lock->acquire(false); });
                    release();
                    release();
                  }},
                 {"misused", [&] { release(); }},
                 {"timed", [&] {
                    if (lab::run(Model::kAcquire, 1, [&] { return lock->acquire(seconds(1)); })) release();
                  }}});
  lab::check_linearizable(Model{});
}

LAB_SCENARIO(rlock_try_against_release, "a try never sees half an owner", {.bound = 3}) {
  auto* lock = make_rlock();
  int n = 0;
  const auto attempt = [&] {
    if (!lock->try_lock()) return;
    ++n;
    lock->unlock();
  };
  lab::together({{"a", attempt}, {"b", attempt}, {"c", attempt}});
  lab::check(n >= 1 && !lock->locked(), "at least one got it");
}

LAB_SCENARIO(rlock_stop_against_release, "a stop request and a release at the same time",
             {.bound = 3, .weak_bound = 2}) {
  auto* lock = make_rlock();
  stop_source source;
  int n = 0;
  lab::together({{"holder",
                  [&] {
                    lock->acquire();
                    ++n;
                    lock->release();
                  }},
                 {"stoppable",
                  [&] {
                    if (lock->acquire(threading::forever, source.get_token())) {
                      ++n;
                      lock->release();
                    }
                  }},
                 {"stopper", [&] { source.request_stop(); }}});
  lab::check(!lock->locked(), "free at the end");
}

LAB_SCENARIO(rlock_destroyed_by_next_owner, "after the last release() only the address is used", {.bound = 5}) {
  auto* lock = make_rlock();
  Atomic<std::uint32_t> ready{0};
  lab::together({{"first",
                  [&] {
                    lock->acquire();
                    ready.store(1, std::memory_order_release);
                    lock->release();
                  }},
                 {"next", [&] {
                    while (ready.load(std::memory_order_acquire) == 0) lab::yield();
                    lock->acquire();
                    lock->release();
                    lab::destroy(lock);
                  }}});
}

}  // namespace
