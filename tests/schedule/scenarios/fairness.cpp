// SPDX-License-Identifier: MIT
//
// Who is let in next: a thread that was woken and lost the race keeps its place, and its age.
#include <threading/embedding.hpp>
#include <threading/lock.hpp>
#include <threading/semaphore.hpp>

#include "support.hpp"

namespace {

using namespace scenarios;

// A lock and a semaphore with one unit, alike.
struct LockGate {
  threading::Lock gate;
  void enter() { gate.acquire(); }
  bool try_enter() { return gate.try_lock(); }
  void leave() { gate.release(); }
};
struct SemaphoreGate {
  threading::Semaphore gate{1};
  void enter() { gate.acquire(); }
  bool try_enter() { return gate.try_acquire(); }
  void leave() { gate.release(); }
};

// The first of two that wait is woken, finds that somebody was faster, and is still before the second.
template <class Gate>
void keeps_its_place() {
  auto* gate = lab::make<Gate>("gate");
  const std::int64_t start = lab::monotonic_now();  // all within less than makes a waiter old
  int passed = 0;
  gate->enter();
  lab::together({{"first",
                  [&] {
                    gate->enter();
                    lab::check(++passed == 1, "the first is the first");
                    gate->leave();
                  }},
                 {"second",
                  [&] {
                    sleep_until(start + 1);
                    gate->enter();
                    lab::check(++passed == 2, "the second is the second");
                    gate->leave();
                  }},
                 {"holder", [&] {
                    sleep_until(start + 2);
                    gate->leave();
                    if (!gate->try_enter()) return;
                    sleep_until(start + 3);
                    gate->leave();
                  }}});
  lab::destroy(gate);
}

LAB_SCENARIO(lock_place_is_kept, "who was woken and lost is the next", {.bound = 2, .weak_bound = 1}) {
  keeps_its_place<LockGate>();
}
LAB_SCENARIO(semaphore_place_is_kept, "who was woken and lost is the next", {.bound = 2, .weak_bound = 1}) {
  keeps_its_place<SemaphoreGate>();
}

// It is handed over once it has waited for long, however often it has queued up.
template <class Gate>
void keeps_its_age() {
  auto* gate = lab::make<Gate>("gate");
  Atomic<std::uint32_t> may_go{0};
  gate->enter();
  lab::together({{"waiter",
                  [&] {
                    gate->enter();
                    while (may_go.load(std::memory_order_relaxed) == 0) lab::yield();
                    gate->leave();
                  }},
                 {"holder", [&] {
                    until_queued(gate);
                    const std::int64_t since = lab::monotonic_now();
                    gate->leave();
                    if (gate->try_enter()) {
                      until_queued(gate);
                      const bool is_old = lab::monotonic_now() - since > threading::kHandOverAfter;
                      gate->leave();
                      if (is_old) lab::check(!gate->try_enter(), "handed over to who has waited for long");
                    }
                    may_go.store(1, std::memory_order_relaxed);
                  }}});
  lab::destroy(gate);
}

LAB_SCENARIO(lock_age_is_kept, "nobody is faster than who has waited for long",
             {.bound = 2, .weak_bound = 1, .faults = {.clock_jumps = 1}}) {
  keeps_its_age<LockGate>();
}
LAB_SCENARIO(semaphore_age_is_kept, "nobody is faster than who has waited for long",
             {.bound = 2, .weak_bound = 1, .faults = {.clock_jumps = 1}}) {
  keeps_its_age<SemaphoreGate>();
}

// Else a long queue of sleepers, all of them old, would make each release a change of threads. The second in the queue
// only looks, so that nobody but a hand-over keeps the first from taking the lock again.
LAB_SCENARIO(lock_handed_over_once_in_a_while, "after a hand-over, others may pass for a while",
             {.bound = 2, .weak_bound = 1, .faults = {.clock_jumps = 1}}) {
  using threading::Embedding;
  auto* lock = lab::make<threading::Lock>("lock");
  std::int64_t before = 0;
  bool is_handed_over = false;
  lock->acquire();
  lab::together({{"waiter",
                  [&] {
                    lock->acquire();
                    lock->release();
                    const bool is_free = lock->try_lock();
                    const bool is_soon = lab::monotonic_now() - before <= threading::kHandOverAfter;
                    if (is_handed_over && is_soon) lab::check(is_free, "not handed over again so soon");
                    if (is_free) lock->release();
                  }},
                 {"onlooker",
                  [&] {
                    if (Embedding::wait_until_free(*lock, {}) == Embedding::Outcome::ok) Embedding::pass_on(*lock);
                  }},
                 {"holder", [&] {
                    until_queued(lock, 2);
                    before = lab::monotonic_now();
                    is_handed_over = before - view_of(lock).first_since > threading::kHandOverAfter;
                    lock->release();
                  }}});
  lab::check(!lock->locked(), "free at the end");
  lab::destroy(lock);
}

}  // namespace
