// SPDX-License-Identifier: MIT
//
// fork() while locks are held elsewhere: the child must find every lock of the library free, and itself alone.
// The two processes are two answers to one question, so each is explored in executions of its own.
#include <utility>

#include <threading/barrier.hpp>
#include <threading/condition.hpp>
#include <threading/embedding.hpp>
#include <threading/event.hpp>
#include <threading/local.hpp>
#include <threading/semaphore.hpp>
#include <threading/thread.hpp>
#include <threading/timer.hpp>
#include <threading/with.hpp>

#include <schedule/platform.hpp>

#include "support.hpp"

namespace {

using namespace scenarios;
using threading::Thread;

// Everything a child may want of the lot, in a few calls.
void use_everything() {
  threading::Lock lock;
  lock.acquire();
  lab::check(!lock.acquire(seconds(1)), "a held lock is waited for");
  lock.release();
  threading::Event event;
  lab::check(!event.wait(seconds(1)), "as is an event");
  threading::Condition condition;
  threading::With hold(condition);
  lab::check(!condition.wait(seconds(1)), "and a condition");
}

// The forking thread uses nothing of the others' stacks: in the child the lab takes them for gone.
LAB_SCENARIO(fork_while_buckets_are_busy, "the lot in the child is empty and free", {.bound = 2}) {
  auto* lock = lab::make<threading::Lock>("lock");
  const auto use = [lock] {
    lock->acquire();
    lock->release();
  };
  lab::together({{"a", use}, {"b", use}, {"forker", [lock] {
                                            if (!lab::fork_here()) return;
                                            lab::check(threading::unpark_one(lock) == 0, "nobody waits");
                                            use_everything();
                                          }}});
}

// The mark of threads that waited in the parent stays in the child, where nobody waits.
LAB_SCENARIO(fork_while_a_semaphore_is_waited_for, "in the child a semaphore has its counter, and counts on",
             {.bound = 1, .faults = {.clock_jumps = 1}}) {
  auto* semaphore = lab::make<threading::Semaphore>("semaphore", 0);
  auto* bounded = lab::make<threading::BoundedSemaphore>("bounded", 1);
  bounded->acquire();
  lab::together({{"waiter", [semaphore] { semaphore->acquire(); }},
                 {"waiter of the bounded", [bounded] { bounded->acquire(); }},
                 {"newcomer",
                  [semaphore] {
                    if (semaphore->try_acquire()) semaphore->release();
                  }},
                 {"forker", [semaphore, bounded] {
                    until_queued(bounded);
                    semaphore->release();
                    if (!lab::fork_here()) {
                      bounded->release();
                      return;
                    }
                    const std::ptrdiff_t units = semaphore->value();
                    lab::check(units == 0 || units == 1, "the unit is there, or was taken");
                    if (units == 1) lab::check(semaphore->acquire(), "taken");
                    lab::check(!semaphore->acquire(seconds(1)), "waited for in vain");
                    if (lab::fork_here()) lab::check(semaphore->value() == 0, "the same in the child's child");
                    semaphore->release();
                    semaphore->release(2);
                    lab::check(semaphore->value() == 3, "all are added");
                    bounded->release();
                    bool passes = true;
                    try {
                      bounded->release();
                    } catch (const threading::ValueError&) {
                      passes = false;
                    }
                    lab::check(!passes && bounded->value() == 1, "the bound is kept");
                    lab::check(bounded->acquire() && !bounded->acquire(seconds(1)), "one unit");
                  }}});
}

LAB_SCENARIO(fork_while_threads_come_and_go, "the child has one thread, and may have more",
             {.bound = 3, .weak_bound = 2}) {
  Atomic<std::uint32_t> runs{0};
  Thread other([&] { static_cast<void>(threading::current_thread().name()); });
  other.start();
  const bool child = lab::fork_here();
  if (child) {
    lab::check(threading::enumerate().size() == 1, "one thread");
    lab::check(threading::current_thread() == threading::main_thread(), "which is the main thread");
    lab::check(!other.is_alive(), "the other is over");
    other.join();
    Thread more([&] { runs.fetch_add(1, std::memory_order_relaxed); });
    more.start();
    more.join();
    lab::check(runs.load(std::memory_order_relaxed) == 1, "a thread of the child's own");
  } else {
    other.join();
  }
}

LAB_SCENARIO(fork_by_another_thread, "the thread that forks is the child's main thread",
             {.bound = 4, .pct_runs = 2000}) {
  Thread forker([&] {
    if (!lab::fork_here()) return;
    lab::check(threading::current_thread() == threading::main_thread(), "the main thread");
    lab::check(threading::active_count() == 1, "alone");
    use_everything();
  });
  forker.start();
  forker.join();
}

LAB_SCENARIO(fork_while_timers_are_pending, "the child has no timers, and may have more",
             {.bound = 2, .weak_bound = 1, .pct_runs = 2000}) {
  int runs = 0;
  threading::Timer pending(seconds(1), [&] { ++runs; });
  pending.start();
  if (lab::fork_here()) {
    const int before = runs;
    lab::check(!pending.is_alive(), "over");
    threading::Timer own(seconds(2), [&] { runs += 10; });
    own.start();
    own.join();
    lab::check(runs == before + 10, "its own has fired, and nothing else");
  } else {
    pending.join();
    lab::check(runs == 1, "fired");
  }
}

LAB_SCENARIO(fork_after_a_cancel, "the child knows nothing of a timer that was cancelled", {.bound = 1}) {
  threading::Timer cancelled(seconds(9), [] {});
  cancelled.start();
  cancelled.cancel();
  if (lab::fork_here()) {
    int runs = 0;
    threading::Timer own(seconds(1), [&] { ++runs; });
    threading::Timer other(seconds(9), [] {});
    own.start();
    other.start();
    other.cancel();
    lab::check(threading::enumerate().size() == 2, "main and one timer");
    own.join();
    lab::check(runs == 1, "fired");
  }
}

LAB_SCENARIO(fork_while_locals_are_in_use, "values of the vanished threads stay, nothing is held",
             {.bound = 2, .pct_runs = 2000}) {
  threading::local<int> mine;
  Thread other([&] { *mine = 2; });
  other.start();
  if (lab::fork_here()) {
    *mine = 1;
    threading::local<int> another;
    *another = 3;
    lab::check(*mine == 1 && *another == 3, "usable");
  } else {
    other.join();
  }
}

// A hook that forks when it is first asked, and lets the wait go on in both processes.
struct ForkingHook {
  Atomic<std::uint32_t>* word;
  bool asked = false;
  bool is_child = false;
  bool wakes_itself = false;

  static bool stays(void* self) {
    auto& hook = *static_cast<ForkingHook*>(self);
    if (hook.asked) return true;
    hook.asked = true;
    lab::yield();  // a waker may begin while the hook runs
    hook.is_child = lab::fork_here();
    if (!hook.is_child || lab::choose(2) == 0) return true;
    hook.wakes_itself = threading::unpark_one(hook.word, 9) == 1;
    return true;
  }
};

// In the child the waiter is queued, alone, unless it was chosen: then it is woken, though its waker is not there.
LAB_SCENARIO(fork_within_a_wait, "a wait in whose hook the thread forks goes on in the child",
             {.bound = 2, .weak_bound = 1, .pct_runs = 2000}) {
  auto* word = lab::make<Atomic<std::uint32_t>>("word", 0);
  const auto wait = [word] { static_cast<void>(park_while(*word, 0)); };
  lab::together({{"other", wait},
                 {"waiter",
                  [word] {
                    ForkingHook hook{word};
                    const ParkResult result = park_while(
                        *word, 0, {.deadline = Deadline::at(2 * kSecond), .on_signal = {&ForkingHook::stays, &hook}});
                    if (!hook.is_child) return;
                    if (hook.wakes_itself) {
                      lab::check(result.outcome == ParkOutcome::woken && result.token == 9, "woken in the child");
                    } else if (word->load(std::memory_order_relaxed) == 1) {
                      lab::check(result.outcome == ParkOutcome::woken && result.token == 7, "chosen before the fork");
                    } else {
                      lab::check(result.outcome == ParkOutcome::timed_out, "not chosen");
                      lab::check(lab::monotonic_now() >= 2 * kSecond, "not early");
                    }
                    use_everything();
                  }},
                 {"waker", [word] {
                    // Later than the waiter's first question.
                    threading::Event pause;
                    static_cast<void>(pause.wait(std::chrono::milliseconds(20)));
                    threading::unpark(word, [word](const QueueView& queue) noexcept {
                      word->store(1, std::memory_order_relaxed);
                      // A second step, so that a fork may come between it and the choice.
                      static_cast<void>(word->load(std::memory_order_relaxed));
                      return UnparkDecision{queue.size, 7};
                    });
                  }}});
}

// The hook of a wait that was notified forks when a release has woken the thread before it in the lock's queue.
LAB_SCENARIO(fork_within_a_moved_wait, "nobody in the child sleeps beside a lock that is free",
             {.bound = 1, .weak_bound = 0}) {
  struct Shared {
    threading::Lock lock;
    threading::Condition condition{lock};
    threading::Event in_hook;
    threading::Event held;
    threading::Event moved;
    bool asked = false;
    static bool stays(void* self) {
      auto& shared = *static_cast<Shared*>(self);
      if (std::exchange(shared.asked, true)) return true;
      shared.in_hook.set();
      shared.moved.wait();
      // Whoever holds it is not there.
      if (lab::fork_here() && shared.lock.locked()) shared.lock.release();
      return true;
    }
  };
  auto* shared = lab::make<Shared>("shared");
  lab::together({{"waiter",
                  [shared] {
                    using threading::Embedding;
                    shared->lock.acquire();
                    const Embedding::Wait wait{.interruptible = true, .on_signal = {&Shared::stays, shared}};
                    Embedding::take_back(shared->condition, Embedding::wait_released(shared->condition, wait));
                    shared->lock.release();
                  }},
                 {"before it",
                  [shared] {
                    shared->held.wait();
                    shared->lock.acquire();
                    shared->lock.release();
                  }},
                 {"notifier", [shared] {
                    shared->in_hook.wait();
                    shared->lock.acquire();
                    shared->held.set();
                    until_queued(&shared->lock);
                    shared->condition.notify();
                    shared->lock.release();
                    shared->moved.set();
                  }}});
}

LAB_SCENARIO(fork_while_a_pool_thread_is_idle, "the child appoints no thread that is not there",
             {.bound = 1, .pct_runs = 1000}) {
  int runs = 0;
  threading::Timer first(0.0, [&] { ++runs; });
  first.start();
  first.join();
  if (lab::fork_here()) {
    threading::Timer own(seconds(1), [&] { ++runs; });
    own.start();
    own.join();
    lab::check(runs == 2, "fired");
  }
}

}  // namespace
