// SPDX-License-Identifier: MIT
//
// Contended: twice as many threads as processors, all at one object. Counted as in uncontended.cpp.
#include "soak/scenarios.hpp"

namespace soak {
namespace {

using namespace threading;

constexpr double kTarget = 1e9;

void lock(Slice& slice) {
  Lock lock;
  Exclusion scenario(lock);
  slice.run({&scenario});
}

void rlock(Slice& slice) {
  RLock lock;
  Exclusion scenario(lock);
  slice.run({&scenario});
}

// Two conditions over one lock: one that nobody waits for, and one whose notifications are counted.
template <class L>
void condition_over(Slice& slice) {
  L lock;
  Condition nobody(lock);
  Condition somebody(lock);
  Exclusion exclusion(nobody, 2);
  Notified notified(somebody, 2);
  slice.run({&exclusion, &notified});
}

void condition(Slice& slice) { slice.number() % 2 == 0 ? condition_over<Lock>(slice) : condition_over<RLock>(slice); }

// As a lock every other time: with one unit it is one.
template <class S>
void semaphore(Slice& slice) {
  if (slice.number() % 2 == 0) {
    S semaphore(1);
    Exclusion scenario(semaphore);
    slice.run({&scenario});
  } else {
    // The bound is beyond what is ever there.
    S semaphore(64);
    for (int i = 0; i < 64; ++i) semaphore.acquire();
    Units scenario(semaphore, Units<S>::Counts::calls, up_to_30_microseconds);
    slice.run({&scenario});
  }
}

// One sets and clears, the others look, wait, and wait within a bound.
class EventForAll : public Scenario {
 public:
  int threads() const override { return 2 * processors(); }

  void work(Worker& worker) override { worker.role() == 0 ? toggle(worker) : wait(worker); }

  void check(Slice&) override {}

 private:
  void toggle(Worker& worker) {
    while (!worker.over()) {
      for (int i = 0; i < 16; ++i) {
        // relaxed: the event publishes it.
        sets_.store(sets_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        event_.set();
        if (worker.random.below(4) == 0) pause(worker.random.below(32));
        event_.clear();
      }
      worker.did(32);
    }
    sets_ += 1;
    event_.set();
  }

  void wait(Worker& worker) {
    while (!worker.over()) {
      if (event_.is_set()) continue;  // would not wait
      bool let_go = true;
      if (worker.random.below(4) == 0) {
        let_go = event_.wait(std::chrono::nanoseconds(worker.random.below(30'000)));
      } else {
        event_.wait();
      }
      worker.did();
      // relaxed: what was done before the set() is visible.
      if (let_go) worker.expect(sets_.load(std::memory_order_relaxed) > 0, "an event let go before the first set");
    }
  }

  Event event_;
  std::atomic<std::uint64_t> sets_{0};
};

void event(Slice& slice) {
  if (slice.number() % 2 == 0) {
    EventTurns scenario;
    slice.run({&scenario});
  } else {
    EventForAll scenario;
    slice.run({&scenario});
  }
}

// More parties than processors every fourth time only: each generation then costs context switches, and little else
// is different.
void barrier(Slice& slice) {
  InStep scenario(slice, slice.number() % 4 == 3 ? 2 * processors() : 2);
  slice.run({&scenario});
}

}  // namespace

void add_contended(std::vector<Row>& rows) {
  const auto add = [&](const char* name, void (*run)(Slice&)) {
    rows.push_back({name, "calls by threads that compete", kTarget, run});
  };
  add("lock-contended", lock);
  add("rlock-contended", rlock);
  add("condition-contended", condition);
  add("semaphore-contended", semaphore<Semaphore>);
  add("bounded-contended", semaphore<BoundedSemaphore>);
  add("event-contended", event);
  add("barrier-contended", barrier);
}

}  // namespace soak
