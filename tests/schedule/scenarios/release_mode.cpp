// SPDX-License-Identifier: MIT
//
// Locks that are freed by a plain store, and those who want to queue for them meanwhile. All other scenarios free by
// exchanges, as a system without asymmetric fences does.
#include "support.hpp"

#include <new>

#include <threading/barrier.hpp>
#include <threading/condition.hpp>
#include <threading/embedding.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/rlock.hpp>
#include <threading/semaphore.hpp>

#include "parking/release_mode.hpp"
#include "parking/table.hpp"

namespace {

using namespace scenarios;
using threading::Condition;
using threading::Lock;
using threading::RLock;
using threading::Semaphore;
using threading::detail::release_mode;
using threading::detail::ReleaseMode;

// As if the bucket of the key had been quiet for a while. Requires: nobody is queued in it.
void begin_with_stores(const void* key) { release_mode(key).store(ReleaseMode::store, std::memory_order_relaxed); }

template <class AnyLock>
AnyLock* make_quiet(const char* name) {
  auto* lock = lab::make<AnyLock>(name);
  begin_with_stores(lock);
  return lock;
}

template <class AnyLock>
void count_under(AnyLock& lock, int& n) {
  lock.acquire();
  ++n;
  lock.release();
}

LAB_SCENARIO(stores_two_threads, "one thread stores while another queues up", {.bound = 3, .fences = true}) {
  auto* lock = make_quiet<Lock>("lock");
  int n = 0;
  const auto count = [&] { count_under(*lock, n); };
  lab::together({{"a", count}, {"b", count}});
  lab::check(n == 2 && !lock->locked(), "both count");
  lab::destroy(lock);
}

LAB_SCENARIO(stores_three_threads, "two queue up beside a store",
             {.bound = 2, .weak_bound = 1, .faults = {.weak_cas = 1}, .fences = true, .pct_runs = 2000}) {
  auto* lock = make_quiet<Lock>("lock");
  int n = 0;
  const auto count = [&] { count_under(*lock, n); };
  lab::together({{"a", count}, {"b", count}, {"c", count}});
  lab::check(n == 3 && !lock->locked(), "all count");
  lab::destroy(lock);
}

LAB_SCENARIO(stores_come_back, "threads that come back store again when the queue is empty",
             {.bound = 2, .weak_bound = 1, .fences = true, .pct_runs = 2000}) {
  auto* lock = make_quiet<Lock>("lock");
  int n = 0;
  const auto count = [&] {
    count_under(*lock, n);
    count_under(*lock, n);
  };
  lab::together({{"a", count}, {"b", count}});
  lab::check(n == 4 && !lock->locked(), "both count");
  lab::destroy(lock);
}

LAB_SCENARIO(stores_against_timeout, "a store, and a queued thread whose time is up",
             {.bound = 3, .faults = {.timeouts = 1}, .fences = true}) {
  auto* lock = make_quiet<Lock>("lock");
  int n = 0;
  const auto count = [&] { count_under(*lock, n); };
  lab::together({{"a", count}, {"timed", [&] {
                                  if (!lock->acquire(seconds(1))) return;
                                  ++n;
                                  lock->release();
                                }}});
  lab::check(n >= 1 && !lock->locked(), "free at the end");
  lab::destroy(lock);
}

LAB_SCENARIO(stores_rlock, "the same word, with an owner", {.bound = 3, .fences = true}) {
  auto* lock = make_quiet<RLock>("rlock");
  int n = 0;
  const auto count = [&] {
    lock->acquire();
    count_under(*lock, n);
    lock->release();
  };
  lab::together({{"a", count}, {"b", count}});
  lab::check(n == 2, "both count");
  lab::destroy(lock);
}

LAB_SCENARIO(stores_rlock_by_others, "who does not own it does not free it, with its mode at `store`",
             {.bound = 2, .fences = true}) {
  auto* lock = make_quiet<RLock>("rlock");
  lock->acquire();
  lab::together({{"other", [&] { lab::check(done([&] { lock->release(); }) == 0, "not the owner"); }}});
  lab::check(lock->locked(), "still held");
  lock->release();
  lab::check(!lock->locked(), "freed by its owner");
  lab::destroy(lock);
}

// Whoever may release a Lock releases one that another thread took by an exchange; an RLock only by its owner.
LAB_SCENARIO(stores_by_others, "released by a thread that did not take it", {.bound = 3, .fences = true}) {
  auto* lock = make_quiet<Lock>("lock");
  lock->acquire();
  int n = 0;
  lab::together({{"releases", [&] { lock->release(); }}, {"takes", [&] { count_under(*lock, n); }}});
  lab::check(n == 1 && !lock->locked(), "free at the end");
  lab::check(done([&] { lock->release(); }) == 0, "a free lock is not released");
  lab::check(!lock->locked(), "nor does that change it");
  lab::destroy(lock);
}

// Locks, says so, and frees with a store.
void hold_once(Lock& lock, Atomic<bool>& held) {
  lock.acquire();
  held.store(true, std::memory_order_relaxed);
  lock.release();
}

void wait_for(const Atomic<bool>& flag) {
  while (!flag.load(std::memory_order_acquire)) threading::detail::backend::yield();
}

LAB_SCENARIO(stores_then_destroy, "the next owner destroys the lock", {.bound = 3, .fences = true}) {
  auto* lock = make_quiet<Lock>("lock");
  Atomic<bool> held{false};
  lab::together({{"releases", [&] { hold_once(*lock, held); }}, {"destroys", [&] {
                                                                   wait_for(held);
                                                                   lock->acquire();
                                                                   lock->release();
                                                                   threading::parking::require_exchanges(lock);
                                                                   lab::destroy(lock);
                                                                 }}});
}

// Between a store and the second look somebody queues and somebody else takes the lock: the one is marked in it.
LAB_SCENARIO(stores_then_taken_again, "a newcomer takes the lock that was freed beside a queued thread",
             {.bound = 3, .weak_bound = 2, .fences = true}) {
  auto* lock = make_quiet<Lock>("lock");
  int n = 0;
  const auto count = [&] { count_under(*lock, n); };
  lab::together({{"a", count}, {"b", count}, {"newcomer", [&] {
                                                if (!lock->acquire(false)) return;
                                                ++n;
                                                lock->release();
                                              }}});
  lab::check(n >= 2 && !lock->locked(), "both count");
  lab::destroy(lock);
}

// A condition's waiters are moved to the lock's queue by a notifier, which need not be the thread that holds the lock.
LAB_SCENARIO(stores_beside_notify, "a waiter is moved to a lock that is being freed by a store",
             {.bound = 3, .fences = true}) {
  auto* lock = lab::make<Lock>("lock");
  Condition condition(*lock);
  bool told = false;
  Atomic<int> waits{0};
  const lab::Thread waiter = lab::spawn("waiter", [&] {
    lock->acquire();
    waits.store(1, std::memory_order_relaxed);
    while (!told) condition.wait();
    lock->release();
  });
  while (waits.load(std::memory_order_relaxed) == 0) threading::detail::backend::yield();
  lock->acquire();
  told = true;
  begin_with_stores(lock);  // the waiter is queued at the condition's address, elsewhere
  const lab::Thread notifier = lab::spawn("notifier", [&] {
    if (lock->locked()) {
      try {
        condition.notify();
        return;
      } catch (const threading::RuntimeError&) {
        // Freed just now.
      }
    }
    lock->acquire();
    condition.notify();
    lock->release();
  });
  lock->release();
  notifier.join();
  waiter.join();
  lab::check(!lock->locked(), "free at the end");
}

// What a late release looks at is no lock any more.
LAB_SCENARIO(stores_into_another_life, "a semaphore with a waiter where the lock was",
             {.bound = 3, .fences = true, .weak = false}) {
  static_assert(sizeof(Semaphore) >= sizeof(Lock) && alignof(Semaphore) >= alignof(Lock));
  void* const memory = ::operator new(sizeof(Semaphore));
  auto* const lock = ::new (memory) Lock;
  begin_with_stores(memory);
  Atomic<bool> held{false};
  Atomic<Semaphore*> semaphore{nullptr};
  const lab::Thread releases = lab::spawn("releases", [&] { hold_once(*lock, held); });
  const lab::Thread reuses = lab::spawn("reuses", [&] {
    wait_for(held);
    lock->acquire();
    lock->release();
    lock->~Lock();
    threading::parking::require_exchanges(memory);  // somebody wants to queue in the same bucket
    auto* const fresh = ::new (memory) Semaphore(0);
    semaphore.store(fresh, std::memory_order_release);
    fresh->acquire();
  });
  releases.join();
  while (semaphore.load(std::memory_order_acquire) == nullptr) threading::detail::backend::yield();
  semaphore.load(std::memory_order_relaxed)->release();
  reuses.join();
  lab::check(!semaphore.load(std::memory_order_relaxed)->acquire(false), "one unit was released, and one acquired");
  semaphore.load(std::memory_order_relaxed)->~Semaphore();
  ::operator delete(memory);
}

// The fences alone: who queues under `exchange` has seen the release, or the release has seen the mode.
LAB_SCENARIO(modes_two_fence, "two threads fence at the same time, a third makes stores possible again",
             {.bound = 3, .weak_bound = 2, .fences = true, .pct_runs = 5000}) {
  Atomic<std::uint32_t> word{1};
  begin_with_stores(&word);
  bool seen = false;
  Atomic<bool> queued{false};
  const auto queue = [&](bool counts) {
    threading::parking::require_exchanges(&word);
    const threading::parking::LockedBucket bucket(&word);
    if (!counts || !threading::parking::frees_by_exchange(&word)) return;
    // From here to the end of the scenario somebody is queued, as far as this bucket knows.
    ++bucket->fencing;
    queued.store(word.load(std::memory_order_relaxed) == 1, std::memory_order_relaxed);
  };
  lab::together({{"releases",
                  [&] {
                    const auto& mode = release_mode(&word);
                    if (mode.load(std::memory_order_relaxed) != ReleaseMode::store) {
                      seen = true;
                      return;
                    }
                    word.store(0, std::memory_order_relaxed);
                    seen = mode.load(std::memory_order_relaxed) != ReleaseMode::store;
                  }},
                 {"queues", [&] { queue(true); }},
                 {"comes and goes", [&] {
                    queue(false);
                    threading::detail::consider_stores(&word);
                  }}});
  lab::check(seen || !queued.load(std::memory_order_relaxed), "nobody is queued whom the release has not seen");
}

// A runtime's thread waits until the lock looks free, and only then tries to take it.
LAB_SCENARIO(stores_beside_a_look, "a store, and a thread that waits until the lock looks free",
             {.bound = 3, .fences = true}) {
  using threading::Embedding;
  auto* lock = make_quiet<Lock>("lock");
  int n = 0;
  lab::together({{"a", [&] { count_under(*lock, n); }},
                 {"looks", [&] {
                    lab::check(Embedding::wait_until_free(*lock, {}) == Embedding::Outcome::ok, "nothing else ends it");
                    count_under(*lock, n);
                  }}});
  lab::check(n == 2 && !lock->locked(), "both count");
  lab::destroy(lock);
}

// A thread's first release counts, and finds that stores would do.
LAB_SCENARIO(modes_first_release, "a lock that was freed once is freed by stores from then on",
             {.bound = 1, .fences = true}) {
  auto* lock = lab::make<Lock>("lock");
  int n = 0;
  lab::together({{"a", [&] { count_under(*lock, n); }}});
  lab::check(release_mode(lock).load(std::memory_order_relaxed) == ReleaseMode::store, "stores");
  count_under(*lock, n);
  lab::check(n == 2 && !lock->locked(), "both count");
}

LAB_SCENARIO(modes_without_fences, "where there is no heavy fence, locks are freed by exchanges", {.bound = 1}) {
  auto* lock = lab::make<Lock>("lock");
  int n = 0;
  const auto count = [&] { count_under(*lock, n); };
  lab::together({{"a", count}, {"b", count}});
  lab::check(release_mode(lock).load(std::memory_order_relaxed) == ReleaseMode::exchange, "exchanges");
  lab::check(n == 2, "both count");
}

// Two locks in one bucket: while somebody is queued for one, the other is freed by exchanges.
LAB_SCENARIO(modes_of_neighbours, "the other lock of the bucket is freed again and again",
             {.bound = 2, .fences = true, .pct_runs = 2000}) {
  auto* const locks = lab::make<Neighbours<Lock>>("locks");
  Lock& one = locks->one();
  Lock* const other = locks->other();
  begin_with_stores(&one);
  int n = 0;
  const auto count = [&] { count_under(one, n); };
  lab::together({{"a", count}, {"b", count}, {"neighbour", [&] {
                                                other->acquire();
                                                other->release();
                                              }}});
  lab::check(n == 2, "both count");
}

// The lock is gone when its release looks at the mode again, and where it was, somebody waits in a barrier, in a hook.
LAB_SCENARIO(stores_then_a_barrier, "a late look wakes nobody who waits for something else there",
             {.bound = 1, .weak_bound = 0, .faults = {.interrupts = 1}, .fences = true}) {
  using threading::Barrier;
  using threading::Embedding;
  struct Shared {
    alignas(Barrier) unsigned char memory[sizeof(Barrier)];
    Lock* lock = ::new (memory + sizeof(Lock)) Lock;  // where the barrier's threads queue while its action runs
    Barrier* barrier = nullptr;
    threading::Event made;
    threading::Event in_hook;
    threading::Event draining;
    Atomic<bool> held{false};
    static bool stays(void* self) {
      auto& shared = *static_cast<Shared*>(self);
      shared.in_hook.set();
      shared.draining.wait();
      return true;
    }
  };
  auto* shared = lab::make<Shared>("shared");
  begin_with_stores(shared->lock);
  lab::together({{"releases", [shared] { hold_once(*shared->lock, shared->held); }},
                 {"acts",
                  [shared] {
                    wait_for(shared->held);
                    shared->lock->acquire();
                    shared->lock->release();
                    threading::parking::require_exchanges(shared->lock);
                    shared->barrier = ::new (shared->memory) Barrier(2, [] {});
                    shared->made.set();
                    shared->in_hook.wait();
                    const auto arrival = Embedding::arrive(*shared->barrier, {});
                    lab::check(arrival.what == Embedding::Arrived::must_act, "the last one");
                    sleep_until(lab::monotonic_now() + 1);
                    shared->draining.set();
                    lab::check(!Embedding::finish(*shared->barrier, true), "its action has failed");
                  }},
                 {"arrives", [shared] {
                    shared->made.wait();
                    const auto arrival = Embedding::arrive(
                        *shared->barrier, {.interruptible = true, .on_signal = {&Shared::stays, shared}});
                    lab::check(arrival.what == Embedding::Arrived::broken, "learns how its set has ended");
                  }}});
  shared->barrier->~Barrier();
  lab::destroy(shared);
}

}  // namespace
