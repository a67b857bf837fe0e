// SPDX-License-Identifier: MIT
//
// fork() while locks are held elsewhere: the child must find every lock of the library free, and itself alone.
// The two processes are two answers to one question, so each is explored in executions of its own.
#include <threading/barrier.hpp>
#include <threading/condition.hpp>
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
  lab::together({{"a", use}, {"b", use}, {"forker", [] {
                                            if (lab::fork_here()) use_everything();
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
    lab::check(!pending.is_alive(), "over");
    threading::Timer own(seconds(1), [&] { runs += 10; });
    own.start();
    own.join();
    lab::check(runs == 10 || runs == 11, "its own has fired");
  } else {
    pending.join();
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

}  // namespace
