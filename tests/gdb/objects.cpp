// SPDX-License-Identifier: MIT
//
// One object in each state that the gdb printers tell apart. gdb_test.py stops in look() and prints them.
#include <chrono>
#include <thread>

#include <threading/embedding.hpp>
#include <threading/threading.hpp>

#include "support/lot.hpp"

namespace {

using threading::Barrier;
using threading::Condition;
using threading::Event;
using threading::Lock;
using threading::RLock;

[[gnu::used]] Lock free_lock;  // for gdb to see, as are the other two
Lock held_lock;
[[gnu::used]] RLock free_rlock;
RLock held_rlock;
[[gnu::used]] Condition own_condition;
[[gnu::used]] Condition quiet_condition(free_lock);
[[gnu::used]] Condition rlock_condition(free_rlock);
Condition waited_condition(held_lock);
Condition waited_own_condition;
threading::Semaphore semaphore(3);
threading::Semaphore awaited(0);
threading::BoundedSemaphore bounded(2);
[[gnu::used]] Event clear_event;
Event set_event;
Barrier filling_barrier(3);
Barrier broken_barrier(2);

template <class Predicate>
void poll(Predicate predicate) {
  while (!predicate()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

}  // namespace

extern "C" __attribute__((noinline)) void look() { asm volatile("" ::: "memory"); }

int main() {
  const threading::Main main_guard;
  Event finish;
  held_rlock.acquire();
  held_rlock.acquire();
  semaphore.acquire();
  bounded.acquire();
  set_event.set();
  broken_barrier.abort();

  threading::Thread unstarted({.name = "unstarted", .daemon = true}, [] {});
  threading::Thread waiter({.name = "waiter"}, [&] {
    held_lock.acquire();
    waited_condition.wait();
    held_lock.release();
  });
  threading::Thread arriver([&] { filling_barrier.wait(); });
  threading::Thread holder({.name = "holder"}, [&] {
    held_lock.acquire();
    finish.wait();
    waited_condition.notify();
    held_lock.release();
  });
  threading::Thread guest([] {
    waited_own_condition.acquire();
    waited_own_condition.wait();
    waited_own_condition.release();
  });
  threading::Thread taker([] { awaited.acquire(); });
  threading::Thread ended({.name = "ended"}, [] {});
  threading::Timer pending(std::chrono::hours(1), [] {});
  threading::Timer fresh({.name = "fresh"}, std::chrono::hours(1), [] {});
  pending.start();
  ended.start();
  ended.join();
  waiter.start();
  arriver.start();
  guest.start();
  taker.start();
  poll([] { return threading::Embedding::waiters(waited_condition) == 1 && filling_barrier.n_waiting() == 1; });
  poll([] { return threading::Embedding::waiters(waited_own_condition) == 1; });
  holder.start();
  poll([&] { return threading::Embedding::waiters(finish) == 1 && support::waiters(awaited) == 1; });
  look();
  finish.set();
  filling_barrier.abort();
  awaited.release();
  const threading::With hold(waited_own_condition);
  waited_own_condition.notify();
  pending.cancel();
}
