// SPDX-License-Identifier: MIT
//
// Locks that are passed on in turns: who is woken by a notifier that is not done yet, and who is told that a turn has
// ended. In all other scenarios no bucket has learnt to wait for turns.
#include "support.hpp"

#include <utility>

#include <threading/condition.hpp>
#include <threading/embedding.hpp>
#include <threading/lock.hpp>
#include <threading/rlock.hpp>
#include <threading/with.hpp>

#include "parking/spin_wait.hpp"

namespace {

using namespace scenarios;
using threading::Condition;
using threading::Embedding;
using threading::Lock;
using threading::RLock;
using threading::With;
using threading::parking::SpinHistory;

template <class AnyLock>
struct Guarded {
  AnyLock lock;
  Condition condition{lock};
  bool ready = false;

  void wait_until_ready() {
    With hold(condition);
    while (!ready) condition.wait();
  }
  void make_ready() {
    With hold(condition);
    ready = true;
    condition.notify();
  }
};

// As if threads that were notified had found the lock passed on whenever they looked.
template <class AnyLock = Lock>
Guarded<AnyLock>* make_in_turns() {
  auto* shared = lab::make<Guarded<AnyLock>>("guarded");
  SpinHistory& history = threading::parking::spin_history(&shared->lock);
  const auto is_held = []() noexcept { return false; };
  for (int left = 1'000; left != 0 && !history.in_turns(); --left) {
    bool has_lost = false;
    const auto lose_once = [&]() noexcept { return std::exchange(has_lost, true); };
    static_cast<void>(history.contend(is_held, lose_once, Deadline::never(), SpinHistory::Contender::notified));
    history.note_wake(-1, 1);  // who gets locks by offers only would soon contend no more
  }
  lab::check(history.in_turns(), "learnt to wait for turns");
  return shared;
}

// The same, where whoever contends queues up at once, as after a crowd was let go.
Lock* make_to_queue_for() {
  auto* lock = &make_in_turns()->lock;
  threading::parking::spin_history(lock).note_wake(0, 2);
  return lock;
}

template <class AnyLock>
void count_under(AnyLock& lock, int& n) {
  const With hold(lock);
  ++n;
}

// A waiter that calls `wait(condition)`, and a notifier that takes the lock again at once.
template <class AnyLock = Lock, class Wait>
void beside_a_notifier_that_goes_on(Wait wait) {
  auto* shared = make_in_turns<AnyLock>();
  int steps = 0;
  lab::together({{"waiter",
                  [&] {
                    With hold(shared->condition);
                    while (!shared->ready) wait(shared->condition);
                    ++steps;
                  }},
                 {"notifier", [&] {
                    shared->make_ready();
                    With hold(shared->lock);
                    ++steps;
                  }}});
  lab::check(steps == 2, "one at a time");
  lab::check(!shared->lock.locked(), "free at the end");
  lab::destroy(shared);
}

LAB_SCENARIO(turns_notifier_goes_on, "a notifier takes the lock again at once; who it woke does not come in between",
             {.bound = 3, .weak_bound = 1, .cpus = 2}) {
  beside_a_notifier_that_goes_on([](Condition& condition) { condition.wait(); });
}

LAB_SCENARIO(turns_runtime,
             "the same, and who was woken tries first, as a runtime does that would have to give up its own lock",
             {.bound = 3, .weak_bound = 1, .cpus = 2}) {
  beside_a_notifier_that_goes_on([](Condition& condition) {
    const auto waited = Embedding::wait_released(condition, {});
    if (!Embedding::try_take_back(condition, waited)) Embedding::take_back(condition, waited);
  });
}

LAB_SCENARIO(turns_answer, "two wait for each other at one condition, and each ends a turn by it",
             {.bound = 2, .weak_bound = 1, .cpus = 2}) {
  auto* shared = make_in_turns();
  int turn = 0;
  const auto play = [&](int mine) {
    With hold(shared->condition);
    while (turn != mine) shared->condition.wait();
    ++turn;
    shared->condition.notify();
    while (turn != mine + 2) shared->condition.wait();
    ++turn;
    shared->condition.notify();
  };
  lab::together({{"even", [&] { play(0); }}, {"odd", [&] { play(1); }}});
  lab::check(turn == 4, "every turn was taken");
  lab::check(!shared->lock.locked(), "free at the end");
  lab::destroy(shared);
}

LAB_SCENARIO(turns_contender_is_told, "a contender learns from the bucket that the owner waits now",
             {.bound = 3, .weak_bound = 1, .cpus = 2}) {
  auto* shared = make_in_turns();
  lab::together({{"waiter", [&] { shared->wait_until_ready(); }}, {"contender", [&] { shared->make_ready(); }}});
  lab::check(!shared->lock.locked(), "free at the end");
  lab::destroy(shared);
}

LAB_SCENARIO(turns_handed_over, "a waiter that has grown old is handed the lock, not told to wait for its notifier",
             {.bound = 2, .weak_bound = 1, .faults = {.clock_jumps = 1}, .cpus = 2}) {
  beside_a_notifier_that_goes_on([](Condition& condition) { condition.wait(); });
}

LAB_SCENARIO(turns_handed_the_rlock, "the same with an owner",
             {.bound = 2, .weak_bound = 1, .faults = {.clock_jumps = 1}, .cpus = 2}) {
  beside_a_notifier_that_goes_on<RLock>([](Condition& condition) { condition.wait(); });
}

LAB_SCENARIO(turns_queued, "who queued up for the lock and is woken takes it, told to wait or not",
             {.bound = 3, .weak_bound = 2, .cpus = 2}) {
  Lock* const lock = make_to_queue_for();
  int n = 0;
  const auto count = [&] {
    count_under(*lock, n);
    count_under(*lock, n);
  };
  lab::together({{"a", count}, {"b", count}});
  lab::check(n == 4 && !lock->locked(), "both count");
}

LAB_SCENARIO(turns_until_free,
             "a runtime's thread that only looks is told to wait, and does not release what it has not",
             {.bound = 3, .weak_bound = 2, .cpus = 2}) {
  Lock* const lock = make_to_queue_for();
  int n = 0;
  lab::together({{"goes on",
                  [&] {
                    count_under(*lock, n);
                    count_under(*lock, n);
                  }},
                 {"looks", [&] {
                    lab::check(Embedding::wait_until_free(*lock, {}) == Embedding::Outcome::ok, "nothing else ends it");
                    count_under(*lock, n);
                  }}});
  lab::check(n == 3 && !lock->locked(), "all count");
}

LAB_SCENARIO(turns_then_destroy, "the last one out destroys lock and condition",
             {.bound = 3, .weak_bound = 2, .cpus = 2}) {
  auto* shared = make_in_turns();
  lab::together({{"waiter",
                  [&] {
                    shared->wait_until_ready();
                    lab::destroy(shared);
                  }},
                 {"notifier", [&] { shared->make_ready(); }}});
}

}  // namespace
