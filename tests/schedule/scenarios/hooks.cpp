// SPDX-License-Identifier: MIT
//
// A wait's hook that waits for threads which are queued behind its own waiter: Python's signal handlers may. Whoever
// counts on the thread that is in its hook to take a lock and pass it on ends in a deadlock, which the lab reports.
#include <utility>

#include <threading/condition.hpp>
#include <threading/embedding.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/thread.hpp>

#include <schedule/platform.hpp>

#include "support.hpp"

namespace {

using namespace scenarios;
using threading::Condition;
using threading::Embedding;
using threading::Event;
using threading::Lock;

constexpr std::int64_t kAtOnce = 1;
constexpr std::int64_t kOverdue = 2 * threading::kHandOverAfter;

// Of what somebody can hold.
constexpr threading::WaitKind kHeld{"held", [](const void*) noexcept { return threading::ThreadToken{}; }};

void pass(Lock& lock) {
  lock.acquire();
  lock.release();
}

// A thread waits at the condition, and is in its hook when it is notified. The hook runs once.
struct Scene {
  Lock lock;
  Condition condition{lock};
  Event in_hook;
  Event released;
  Event passed;
  std::int64_t keeps_it_for = kAtOnce;
  bool asked = false;
  bool waits = false;  // guarded by lock: the waiter does, at the condition

  // The hook notifies its own wait, releases the lock after a while, and waits until somebody else has had it.
  static bool notifies(void* self) {
    auto& scene = *static_cast<Scene*>(self);
    if (std::exchange(scene.asked, true)) return true;
    scene.lock.acquire();
    scene.condition.notify();
    scene.in_hook.set();
    // By then whoever wants the lock is queued for it.
    sleep_until(lab::monotonic_now() + scene.keeps_it_for);
    scene.lock.release();
    scene.released.set();
    scene.passed.wait();
    return true;
  }

  // The same while somebody releases the lock that it has taken, so that the notification may find it free.
  static bool notifies_all(void* self) {
    auto& scene = *static_cast<Scene*>(self);
    if (std::exchange(scene.asked, true)) return true;
    scene.lock.acquire();
    scene.in_hook.set();
    if (!done([&] { scene.condition.notify_all(); })) {
      scene.lock.acquire();
      scene.condition.notify_all();
      scene.lock.release();
    }
    scene.passed.wait();
    return true;
  }

  static bool stays_away(void* self) {
    auto& scene = *static_cast<Scene*>(self);
    if (!std::exchange(scene.asked, true)) scene.passed.wait();
    return true;
  }

  void wait(bool (*hook)(void*)) {
    lock.acquire();
    waits = true;
    const Embedding::Wait wait{.interruptible = true, .on_signal = {hook, this}};
    Embedding::take_back(condition, Embedding::wait_released(condition, wait));
    lock.release();
  }

  // Takes the lock when the waiter waits.
  void acquire_behind_it() {
    for (lock.acquire(); !waits; lock.acquire()) {
      lock.release();
      lab::yield();
    }
  }

  void pass_after(Event& event) {
    event.wait();
    pass(lock);
    passed.set();
  }
};

void notify_in_a_hook(Scene& scene, Event& before_the_other) {
  lab::together(
      {{"waiter", [&] { scene.wait(&Scene::notifies); }}, {"other", [&] { scene.pass_after(before_the_other); }}});
  lab::check(!scene.lock.locked(), "free at the end");
}

LAB_SCENARIO(hook_waits_for_one_behind, "a release does not stop at one that is in its hook",
             {.bound = 2, .weak_bound = 1}) {
  auto* scene = lab::make<Scene>("scene");
  notify_in_a_hook(*scene, scene->in_hook);
  lab::destroy(scene);
}

LAB_SCENARIO(hook_waits_for_one_behind_a_long_queue, "nobody counts on one that is in its hook to come",
             {.bound = 2, .weak_bound = 1, .many_queued = 1}) {
  auto* scene = lab::make<Scene>("scene");
  notify_in_a_hook(*scene, scene->in_hook);
  lab::destroy(scene);
}

LAB_SCENARIO(hook_waits_for_one_behind_overdue, "a lock is handed over past one that is in its hook",
             {.bound = 2, .weak_bound = 1}) {
  auto* scene = lab::make<Scene>("scene");
  scene->keeps_it_for = kOverdue;
  notify_in_a_hook(*scene, scene->in_hook);
  lab::destroy(scene);
}

LAB_SCENARIO(hook_waits_for_a_newcomer, "a lock is not handed to one that is in its hook",
             {.bound = 2, .weak_bound = 1}) {
  auto* scene = lab::make<Scene>("scene");
  scene->keeps_it_for = kOverdue;
  notify_in_a_hook(*scene, scene->released);
  lab::destroy(scene);
}

LAB_SCENARIO(hook_waits_for_one_notified_after_it, "a notification that wakes one in its hook wakes the next",
             {.bound = 2, .weak_bound = 1}) {
  auto* scene = lab::make<Scene>("scene");
  lab::together({{"waiter", [&] { scene->wait(&Scene::notifies_all); }},
                 {"behind",
                  [&] {
                    scene->acquire_behind_it();
                    scene->condition.wait();
                    scene->lock.release();
                    scene->passed.set();
                  }},
                 {"releaser", [&] {
                    scene->in_hook.wait();
                    scene->lock.release();
                  }}});
  lab::check(!scene->lock.locked(), "free at the end");
  lab::destroy(scene);
}

// Joins with a stop token that never asks: the end of a thread wakes one of those who join it so, which wakes the
// others.
LAB_SCENARIO(hook_of_a_joiner, "the end of a thread does not stop at a joiner that is in its hook",
             {.bound = 1, .weak_bound = 0, .faults = {.interrupts = 1}}) {
  auto* scene = lab::make<Scene>("scene");
  const std::int64_t start = lab::monotonic_now();
  stop_source never;
  const stop_token token = never.get_token();
  threading::Thread joined([&] { scene->released.wait(); });
  joined.start();
  const auto join = [&](const Embedding::Wait& wait) {
    while (Embedding::join(joined, wait) != Embedding::Outcome::ok) {
    }
  };
  lab::together({{"first",
                  [&] {
                    join({.interruptible = true, .on_signal = {&Scene::stays_away, scene}});
                  }},
                 {"second",
                  [&] {
                    sleep_until(start + 1);
                    join({.stop = &token});
                    scene->passed.set();
                  }},
                 {"setter", [&] {
                    // Later than a hook is asked.
                    sleep_until(start + 30'000'000);
                    scene->released.set();
                  }}});
  lab::destroy(scene);
}

// It is interrupted and, before it asks its hook, chosen: so one is coming, and a release wakes nobody else.
LAB_SCENARIO(hook_of_one_that_is_chosen, "who was chosen does not enter its hook",
             {.bound = 1, .weak_bound = 0, .faults = {.interrupts = 1}, .many_queued = 1}) {
  auto* scene = lab::make<Scene>("scene");
  lab::together({{"waiter", [&] { scene->wait(&Scene::stays_away); }},
                 {"other", [&] { scene->pass_after(scene->released); }},
                 {"notifier", [&] {
                    scene->acquire_behind_it();
                    scene->condition.notify();
                    scene->lock.release();
                    scene->lock.acquire();
                    scene->released.set();
                    until_queued(&scene->lock);
                    scene->lock.release();
                  }}});
  lab::check(!scene->lock.locked(), "free at the end");
  lab::destroy(scene);
}

// Its hook was asked after 20 ms, and it sleeps again when it is woken at its new address.
LAB_SCENARIO(hook_that_is_over, "who has been in its hook is chosen as any other", {.bound = 2}) {
  constexpr std::uintptr_t kToken = 7;
  const auto stays = [](void*) { return true; };
  const Atomic<std::uint32_t> from{0};
  const Atomic<std::uint32_t> to{0};
  ParkResult result{ParkOutcome::changed};
  lab::together({{"waiter",
                  [&] {
                    result = park_while(from, 0, {.on_signal = {stays, nullptr}});
                  }},
                 {"waker", [&] {
                    const std::int64_t start = lab::monotonic_now();
                    sleep_until(start + 1);
                    const auto all = [](const QueueView&) noexcept { return threading::RequeueDecision{0, 1}; };
                    lab::check(threading::requeue(&from, &to, kHeld, all) == 1, "it was moved");
                    sleep_until(start + 30'000'000);
                    lab::check(threading::unpark_one(&to, kToken) == 1, "it was chosen");
                  }}});
  lab::check(result.outcome == ParkOutcome::woken && result.token == kToken, "it was given the token");
}

}  // namespace
