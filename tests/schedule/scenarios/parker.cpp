// SPDX-License-Identifier: MIT
//
// The parker and the lock of a bucket: what the lot stands on.
#include "support.hpp"

#include "parking/word_lock.hpp"
#include "platform/parker.hpp"

namespace {

using namespace scenarios;
using threading::parking::WordLock;
using threading::platform::FutexParker;
using threading::platform::ParkerOutcome;

FutexParker* make_parker() {
  auto* parker = lab::make<FutexParker>("parker");
  lab::watch("parker", parker, 3, {0, 1, 2});
  return parker;
}

// Locked, and queue locked; the address of the first waiter left out. The queue is locked only while the lock is.
WordLock* make_word_lock() {
  auto* lock = lab::make<WordLock>("lock");
  lab::watch("WordLock", lock, 3, {0, 1, 3});
  return lock;
}

LAB_SCENARIO(parker_wake, "unpark and park in any order, with interruptions",
             {.bound = 8, .faults = {.interrupts = 2, .spurious = 1}}) {
  auto* parker = make_parker();
  int data = 0;
  parker->prepare();
  lab::together({{"owner",
                  [&] {
                    lab::check(parker->park(Deadline::never(), false) == ParkerOutcome::woken, "woken");
                    lab::check(data == 1, "what the waker did is visible");
                    lab::destroy(parker);
                  }},
                 {"waker", [&] {
                    data = 1;
                    parker->unpark();
                  }}});
}

LAB_SCENARIO(parker_timeout, "a deadline and unpark at the same time",
             {.bound = 8, .faults = {.timeouts = 1, .interrupts = 1}}) {
  auto* parker = make_parker();
  int data = 0;
  parker->prepare();
  lab::together({{"owner",
                  [&] {
                    const std::int64_t deadline = lab::monotonic_now() + kSecond;
                    if (parker->park(Deadline::at(deadline), false) == ParkerOutcome::timed_out) {
                      lab::check(lab::monotonic_now() >= deadline, "not early");
                      lab::check(parker->park(Deadline::never(), false) == ParkerOutcome::woken,
                                 "the wake still comes");
                    }
                    lab::check(data == 1, "what the waker did is visible");
                    lab::destroy(parker);
                  }},
                 {"waker", [&] {
                    data = 1;
                    parker->unpark();
                  }}});
}

LAB_SCENARIO(parker_interrupt, "a signal and unpark at the same time", {.bound = 8, .faults = {.interrupts = 1}}) {
  auto* parker = make_parker();
  parker->prepare();
  lab::together({{"owner",
                  [&] {
                    while (parker->park(Deadline::never(), true) != ParkerOutcome::woken) {
                    }
                    lab::destroy(parker);
                  }},
                 {"waker", [&] { parker->unpark(); }}});
}

LAB_SCENARIO(parker_reuse, "one parker, used again at once", {.bound = 6, .weak_bound = 5, .faults = {.spurious = 1}}) {
  FutexParker parker;
  Atomic<std::uint32_t> round{0};
  lab::together({{"owner",
                  [&] {
                    for (std::uint32_t i = 1; i <= 2; ++i) {
                      parker.prepare();
                      round.store(i, std::memory_order_release);
                      lab::check(parker.park(Deadline::never(), false) == ParkerOutcome::woken, "woken");
                    }
                  }},
                 {"waker", [&] {
                    for (std::uint32_t i = 1; i <= 2; ++i) {
                      while (round.load(std::memory_order_acquire) != i) lab::yield();
                      parker.unpark();
                    }
                  }}});
}

LAB_SCENARIO(word_lock_two, "two threads count under a bucket's lock", {.bound = 8}) {
  auto* lock = make_word_lock();
  int n = 0;
  const auto count = [&] {
    lock->lock();
    ++n;
    lock->unlock();
  };
  lab::together({{"a", count}, {"b", count}});
  lab::check(n == 2, "both count");
}

LAB_SCENARIO(word_lock_three, "three threads: queues of two form",
             {.bound = 3, .weak_bound = 2, .faults = {.spurious = 1}}) {
  auto* lock = make_word_lock();
  int n = 0;
  const auto count = [&] {
    lock->lock();
    ++n;
    lock->unlock();
  };
  lab::together({{"a", count}, {"b", count}, {"c", count}});
  lab::check(n == 3, "all count");
}

LAB_SCENARIO(word_lock_four, "four threads: the queue's last waiter is handed on", {.bound = 1, .pct_runs = 2000}) {
  auto* lock = make_word_lock();
  int n = 0;
  const auto count = [&] {
    lock->lock();
    ++n;
    lock->unlock();
  };
  lab::together({{"a", count}, {"b", count}, {"c", count}, {"d", count}});
  lab::check(n == 4, "all count");
}

LAB_SCENARIO(word_lock_again, "two threads, twice each: a woken thread may lose the race",
             {.bound = 3, .faults = {.weak_cas = 1}}) {
  auto* lock = make_word_lock();
  int n = 0;
  const auto count = [&] {
    for (int i = 0; i < 2; ++i) {
      lock->lock();
      ++n;
      lock->unlock();
    }
  };
  lab::together({{"a", count}, {"b", count}});
  lab::check(n == 4, "all count");
}

LAB_SCENARIO(word_lock_spinning, "two processors: contenders spin before they queue",
             {.bound = 5, .weak_bound = 4, .cpus = 2}) {
  auto* lock = make_word_lock();
  int n = 0;
  const auto count = [&] {
    lock->lock();
    ++n;
    lock->unlock();
  };
  lab::together({{"a", count}, {"b", count}, {"c", count}});
  lab::check(n == 3, "all count");
}

}  // namespace
