// SPDX-License-Identifier: MIT
//
// Three or more parties to one wait: whoever notifies, whoever gives up, whoever mends, and a fast thread that is back
// before slow ones have left. Nothing here is what a program does every day; each is where a protocol may tear.
#include "support.hpp"

#include <threading/barrier.hpp>
#include <threading/condition.hpp>
#include <threading/embedding.hpp>
#include <threading/event.hpp>
#include <threading/semaphore.hpp>
#include <threading/with.hpp>

namespace {

using namespace scenarios;
using threading::Barrier;
using threading::Condition;
using threading::Embedding;
using threading::Event;
using threading::Lock;
using threading::RLock;
using threading::Semaphore;
using threading::With;
using Model = lab::models::Condition;

struct Guarded {
  Lock lock;
  Condition condition{lock};
};

// Conditions ---------------------------------------------------------------------------------------------------

// Two notifications, three ways out for each of two waiters. To the model a stop request is a bound that ends.
LAB_SCENARIO(condition_requeue_timeout_stop_notify, "requeue, timeout, stop and a second notify",
             {.bound = 0, .faults = {.timeouts = 1}, .pct_runs = 4000}) {
  auto* shared = lab::make<Guarded>("guarded");
  stop_source source;
  const auto wait = [&](auto... how) {
    lab::run(Model::kAcquire, 0, [&] { shared->lock.acquire(); });
    lab::run(Model::kWait, 1, [&] { return shared->condition.wait(how...); });
    lab::run(Model::kRelease, 0, [&] { shared->lock.release(); });
  };
  lab::together({{"timed", [&] { wait(seconds(1)); }},
                 {"stoppable", [&] { wait(threading::forever, source.get_token()); }},
                 {"notifier",
                  [&] {
                    for (int i = 0; i < 2; ++i) {
                      lab::run(Model::kAcquire, 0, [&] { shared->lock.acquire(); });
                      lab::run(Model::kNotify, 1, [&] { shared->condition.notify(); });
                      lab::run(Model::kRelease, 0, [&] { shared->lock.release(); });
                    }
                  }},
                 {"stopper", [&] { source.request_stop(); }}});
  lab::check_linearizable(Model{});
  lab::check(!shared->lock.locked(), "the lock is free");
  lab::destroy(shared);
}

// A waiter that was moved to the lock's queue stands there between others that have bounds of their own.
LAB_SCENARIO(condition_moved_beside_lock_timeout, "a moved waiter, and a bounded acquire in the same queue",
             {.bound = 1, .faults = {.timeouts = 1}, .pct_runs = 4000}) {
  auto* shared = lab::make<Guarded>("guarded");
  bool ready = false;
  lab::together({{"waiter",
                  [&] {
                    With hold(shared->condition);
                    while (!ready) lab::check(shared->condition.wait(), "notified");
                  }},
                 {"notifier",
                  [&] {
                    With hold(shared->condition);
                    ready = true;
                    shared->condition.notify();
                  }},
                 {"bounded", [&] {
                    if (shared->lock.acquire(seconds(1))) shared->lock.release();
                  }}});
  lab::check(!shared->lock.locked(), "the lock is free");
  lab::destroy(shared);
}

// The moved waiter is overdue: the lock is handed to it, with no level of the RLock counted yet.
LAB_SCENARIO(condition_handed_the_rlock, "a moved waiter is handed an RLock, and has all its levels back",
             {.bound = 1, .weak_bound = 1, .faults = {.clock_jumps = 1}, .pct_runs = 3000}) {
  auto* condition = lab::make<Condition>("condition");
  bool ready = false;
  lab::together({{"waiter",
                  [&] {
                    condition->acquire();
                    condition->acquire();
                    while (!ready) condition->wait();
                    condition->release();
                    lab::check(condition->locked(), "the second level is there");
                    condition->release();
                  }},
                 {"notifier",
                  [&] {
                    With hold(*condition);
                    ready = true;
                    condition->notify();
                  }},
                 {"passer-by", [&] { With hold(*condition); }}});
  lab::check(!condition->locked(), "free at the end");
  lab::destroy(condition);
}

LAB_SCENARIO(condition_notify_more_than_wait, "notify(n) moves who is there; later waiters wait for their own",
             {.bound = 3, .pct_runs = 3000}) {
  auto* shared = lab::make<Guarded>("guarded");
  bool ready = false;
  bool again = false;
  lab::together({{"waiter",
                  [&] {
                    With hold(shared->condition);
                    while (!ready) shared->condition.wait();
                    while (!again) lab::check(shared->condition.wait(), "notified again");
                  }},
                 {"notifier", [&] {
                    {
                      With hold(shared->condition);
                      ready = true;
                      shared->condition.notify(5);
                    }
                    With hold(shared->condition);
                    again = true;
                    shared->condition.notify(5);
                  }}});
  lab::destroy(shared);
}

// Barriers -----------------------------------------------------------------------------------------------------

// Returns: whether it passed.
template <class... Args>
bool passes(Barrier& barrier, Args... how) {
  try {
    barrier.wait(how...);
    return true;
  } catch (const threading::BrokenBarrierError&) {
    return false;
  }
}

// One bound ends, the other mends the barrier, and both come back at once: nothing of the broken set is left in it.
LAB_SCENARIO(barrier_mended_after_timeout, "timeout, reset() and a new generation",
             {.bound = 2, .weak_bound = 1, .faults = {.timeouts = 1}, .pct_runs = 2000}) {
  auto* barrier = lab::make<Barrier>("barrier", std::size_t{2});
  auto* is_out = lab::make<Event>("is out");
  auto* is_mended = lab::make<Event>("is mended");
  bool a = false;
  lab::together({{"timed",
                  [&] {
                    a = passes(*barrier, seconds(1));
                    is_out->set();
                    is_mended->wait();
                    lab::check(passes(*barrier), "the new set passes");
                  }},
                 {"mender", [&] {
                    const bool b = passes(*barrier);
                    is_out->wait();
                    lab::check(a == b && barrier->broken() == !b, "both or nobody");
                    barrier->reset();
                    is_mended->set();
                    lab::check(passes(*barrier), "the new set passes");
                  }}});
  lab::check(!barrier->broken() && barrier->n_waiting() == 0, "as new");
  lab::destroy(barrier);
}

// reset() strikes wherever it likes.
LAB_SCENARIO(barrier_reset_against_timeout, "reset() while one times out and others come back",
             {.bound = 1, .weak_bound = 0, .faults = {.timeouts = 2}, .pct_runs = 4000}) {
  auto* barrier = lab::make<Barrier>("barrier", std::size_t{2});
  const auto insist = [&] {
    for (int tries = 0; tries < 2 && !passes(*barrier, seconds(1)); ++tries) barrier->reset();
  };
  lab::together({{"a", insist}, {"b", insist}, {"mender", [&] { barrier->reset(); }}});
  barrier->reset();
  lab::check(!barrier->broken() && barrier->n_waiting() == 0, "as new");
  lab::destroy(barrier);
}

// A newcomer waits for the action of the set before it; a stop request sends it away, and only it.
LAB_SCENARIO(barrier_newcomer_stopped_while_draining, "a stop request ends a newcomer's wait and breaks no full set",
             {.bound = 1, .weak_bound = 0, .pct_runs = 4000}) {
  auto* barrier = lab::make<Barrier>("barrier", std::size_t{2}, [] { lab::yield(); });
  stop_source source;
  Atomic<std::uint32_t> passed{0};
  const auto pass = [&](auto... how) {
    if (passes(*barrier, how...)) passed.fetch_add(1, std::memory_order_relaxed);
  };
  lab::together({{"a", [&] { pass(seconds(1)); }},
                 {"b", [&] { pass(seconds(1)); }},
                 {"newcomer", [&] { pass(seconds(1), source.get_token()); }},
                 {"stopper", [&] { source.request_stop(); }}});
  // Three threads, two at a time: a full set passes whole, and one thread is left over.
  const std::uint32_t count = passed.load(std::memory_order_relaxed);
  lab::check(count == 0 || count == 2, "all of a set or nobody");
  lab::destroy(barrier);
}

// Semaphores ---------------------------------------------------------------------------------------------------

LAB_SCENARIO(semaphore_release_many_against_timeout, "release(2), a bound, and a thread that barges in",
             {.bound = 1, .weak_bound = 0, .faults = {.timeouts = 1}, .pct_runs = 4000}) {
  auto* semaphore = lab::make<Semaphore>("semaphore", 0);
  Atomic<std::int32_t> taken{0};
  const auto note = [&](bool took) { taken.fetch_add(took ? 1 : 0, std::memory_order_relaxed); };
  lab::together({{"timed", [&] { note(semaphore->acquire(seconds(1))); }},
                 {"patient", [&] { note(semaphore->acquire()); }},
                 {"barging", [&] {
                    semaphore->release(2);
                    if (semaphore->acquire(false)) {
                      // The patient one must get its unit all the same.
                      semaphore->release();
                    }
                  }}});
  lab::check(semaphore->value() + static_cast<std::size_t>(taken.load(std::memory_order_relaxed)) == 2,
             "every unit is taken or there");
  lab::destroy(semaphore);
}

LAB_SCENARIO(semaphore_overdue_waiters, "a release(3) hands over what overdue waiters ask for, and adds the rest",
             {.bound = 1, .weak_bound = 0, .faults = {.timeouts = 1, .clock_jumps = 2}, .pct_runs = 3000}) {
  auto* semaphore = lab::make<Semaphore>("semaphore", 0);
  Atomic<std::uint32_t> taken{0};
  lab::together({{"timed",
                  [&] {
                    if (semaphore->acquire(seconds(1))) taken.fetch_add(1, std::memory_order_relaxed);
                  }},
                 {"patient",
                  [&] {
                    semaphore->acquire();
                    taken.fetch_add(1, std::memory_order_relaxed);
                  }},
                 {"producer", [&] { semaphore->release(3); }}});
  lab::check(semaphore->value() + taken.load(std::memory_order_relaxed) == 3, "every unit is taken or there");
}

// Events -------------------------------------------------------------------------------------------------------

LAB_SCENARIO(event_clear_against_timeout_and_stop, "set, clear, a bound and a stop request at once",
             {.bound = 1, .weak_bound = 0, .faults = {.timeouts = 1}, .pct_runs = 4000}) {
  auto* event = lab::make<Event>("event");
  lab::watch("Event", event, 3, {0, 1, 2});
  stop_source source;
  lab::together({{"timed", [&] { event->wait(seconds(1)); }},
                 {"stoppable", [&] { event->wait(threading::forever, source.get_token()); }},
                 {"setter",
                  [&] {
                    event->set();
                    event->clear();
                    event->set();
                  }},
                 {"stopper", [&] { source.request_stop(); }}});
  lab::check(event->is_set(), "the last word is set()");
  lab::destroy(event);
}

LAB_SCENARIO(event_clear_between_sets, "a clear() between two set() takes no waiter back",
             {.bound = 2, .weak_bound = 1, .pct_runs = 2000}) {
  auto* event = lab::make<Event>("event");
  int data = 0;
  const auto wait = [&] {
    lab::check(event->wait(), "set");
    lab::check(data == 1, "the data");
  };
  lab::together({{"w", wait}, {"v", wait}, {"setter", [&] {
                                              data = 1;
                                              event->set();
                                              event->clear();
                                              event->set();
                                            }}});
}

// Locks --------------------------------------------------------------------------------------------------------

LAB_SCENARIO(rlock_handed_over_against_timeout, "the lock is handed to a waiter whose bound ends",
             {.bound = 1, .weak_bound = 0, .faults = {.timeouts = 1, .clock_jumps = 2}, .pct_runs = 3000}) {
  auto* lock = lab::make<RLock>("rlock");
  lab::watch("RLock", lock, 3, {0, 1, 2, 3});
  int n = 0;
  const auto twice = [&] {
    lock->acquire();
    lock->acquire();
    ++n;
    lock->release();
    lock->release();
  };
  lab::together({{"holder", twice},
                 {"timed",
                  [&] {
                    if (!lock->acquire(seconds(1))) return;
                    lab::check(Embedding::is_owned(*lock), "handed over or taken");
                    ++n;
                    lock->release();
                  }},
                 {"patient", twice}});
  lab::check(!lock->locked() && n >= 2, "free at the end");
  lab::destroy(lock);
}

// What a language runtime does: wait outside its own lock until the lock looks free, then take it inside, or pass on.
LAB_SCENARIO(lock_looked_at_and_passed_on, "who was woken and does not take the lock passes the wake-up on",
             {.bound = 1, .weak_bound = 0, .faults = {.timeouts = 1, .clock_jumps = 1}, .pct_runs = 2000}) {
  auto* lock = lab::make<Lock>("lock");
  lab::watch("Lock", lock, 3, {0, 1, 2, 3});
  lock->acquire();
  lab::together({{"holder", [&] { lock->release(); }},
                 {"onlooker",
                  [&] {
                    const Embedding::Wait wait{.deadline = Deadline::after(kSecond)};
                    if (Embedding::wait_until_free(*lock, wait) == Embedding::Outcome::ok) Embedding::pass_on(*lock);
                  }},
                 {"taker", [&] {
                    lock->acquire();
                    lock->release();
                  }}});
  lab::check(!lock->locked(), "free at the end");
  lab::destroy(lock);
}

}  // namespace
