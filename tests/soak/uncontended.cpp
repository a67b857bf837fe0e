// SPDX-License-Identifier: MIT
//
// Uncontended: each thread has an object of its own. What is counted are calls that change the object or wait for it;
// locked(), is_set(), value() and their like are free.
#include <threading/barrier.hpp>
#include <threading/condition.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/rlock.hpp>
#include <threading/semaphore.hpp>

#include "soak/soak.hpp"

namespace soak {
namespace {

using namespace std::chrono_literals;
using namespace threading;

constexpr double kTarget = 1e10;
constexpr int kBatch = 256;  // between two looks at the clock

class Alone : public Scenario {
 public:
  explicit Alone(void (*batches)(Worker&)) : batches_(batches) {}
  int threads() const override { return processors(); }
  void work(Worker& worker) override { batches_(worker); }
  void check(Slice&) override {}

 private:
  void (*batches_)(Worker&);
};

template <void (*batches)(Worker&)>
void alone(Slice& slice) {
  Alone scenario(batches);
  slice.run({&scenario});
}

void lock_batches(Worker& worker) {
  Lock lock;
  std::uint64_t counter = 0;
  while (!worker.over()) {
    for (int i = 0; i < kBatch; ++i) {
      lock.acquire();
      ++counter;
      lock.release();
      worker.expect(lock.try_lock(), "a free lock was not taken");
      lock.unlock();
      worker.expect(lock.acquire(1h), "a free lock was not taken within an hour");
      lock.release();
    }
    lock.acquire();
    worker.expect(!lock.try_lock() && !lock.acquire(no_wait), "a held lock was taken again");
    lock.release();
    worker.did(6 * kBatch + 4);
  }
  worker.expect(!lock.locked(), "a released lock is held");
}

void rlock_batches(Worker& worker) {
  RLock lock;
  while (!worker.over()) {
    for (int i = 0; i < kBatch; ++i) {
      lock.acquire();
      worker.expect(lock.try_lock(), "the owner was refused a level");
      worker.expect(lock.acquire(1h), "the owner was refused a level");
      lock.release();
      lock.release();
      lock.release();
    }
    worker.expect(!lock.locked(), "a released lock is owned");
    try {
      lock.release();
      worker.expect(false, "a lock that nobody owns was released");
    } catch (const RuntimeError&) {
    }
    worker.did(6 * kBatch + 1);
  }
}

void condition_batches(Worker& worker) {
  Lock lock;
  Condition over_lock(lock);
  Condition over_rlock;
  Condition& cv = worker.role() % 2 == 0 ? over_rlock : over_lock;
  while (!worker.over()) {
    for (int i = 0; i < kBatch; ++i) {
      cv.acquire();
      cv.notify();
      cv.notify_all();
      cv.release();
    }
    cv.acquire();
    worker.expect(!cv.wait(no_wait), "woken by nobody");
    worker.expect(cv.locked(), "the lock was not taken back");
    cv.release();
    worker.did(4 * kBatch + 3);
  }
}

void event_batches(Worker& worker) {
  Event event;
  while (!worker.over()) {
    for (int i = 0; i < kBatch; ++i) {
      event.set();
      worker.expect(event.wait(), "a set event did not let go");
      event.set();
      event.clear();
    }
    worker.expect(!event.is_set() && !event.wait(no_wait), "a cleared event let go");
    worker.did(4 * kBatch + 1);
  }
}

void barrier_batches(Worker& worker) {
  Barrier plain(1);
  std::uint64_t generation = 0;
  Barrier with_action(1, [&] { ++generation; });
  std::uint64_t passed = 0;
  while (!worker.over()) {
    for (int i = 0; i < kBatch; ++i) {
      worker.expect(plain.wait() == 0, "the only party has another number than 0");
      if (i % 4 == 0) {
        with_action.wait();
        ++passed;
      }
    }
    plain.abort();
    try {
      plain.wait();
      worker.expect(false, "a broken barrier was passed");
    } catch (const BrokenBarrierError&) {
    }
    plain.reset();
    worker.did(kBatch + kBatch / 4 + 3);
  }
  worker.expect(generation == passed, "an action did not run exactly once");
}

template <class S>
void semaphore_batches(Worker& worker) {
  S semaphore(3);
  while (!worker.over()) {
    for (int i = 0; i < kBatch; ++i) {
      semaphore.acquire();
      worker.expect(semaphore.try_acquire(), "a unit that was there was not taken");
      worker.expect(semaphore.acquire(1h), "a unit that was there was not taken within an hour");
      semaphore.release();
      semaphore.release(2);
    }
    worker.expect(semaphore.value() == 3, "units were lost or made");
    worker.did(5 * kBatch);
    if constexpr (std::is_same_v<S, BoundedSemaphore>) {
      try {
        semaphore.release();
        worker.expect(false, "a bounded semaphore passed its bound");
      } catch (const ValueError&) {
      }
      worker.did();
    }
  }
}

}  // namespace

void add_uncontended(std::vector<Row>& rows) {
  const auto add = [&](const char* name, void (*run)(Slice&)) {
    rows.push_back({name, "calls by the only user", kTarget, run});
  };
  add("lock-alone", alone<lock_batches>);
  add("rlock-alone", alone<rlock_batches>);
  add("condition-alone", alone<condition_batches>);
  add("semaphore-alone", alone<semaphore_batches<Semaphore>>);
  add("bounded-alone", alone<semaphore_batches<BoundedSemaphore>>);
  add("event-alone", alone<event_batches>);
  add("barrier-alone", alone<barrier_batches>);
}

}  // namespace soak
