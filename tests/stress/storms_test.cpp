// SPDX-License-Identifier: MIT
//
// Storms on one primitive after the other: a thousand signals a second, without SA_RESTART, on threads that wait for
// it; and forks while it is contended.
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include <threading/barrier.hpp>
#include <threading/condition.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/rlock.hpp>
#include <threading/semaphore.hpp>

#include "stress/signals.hpp"

namespace {

using namespace stress;
using Clock = std::chrono::steady_clock;

// For each primitive: wait() blocks until let_go(), or until the timeout passes, and returns whether it was let go;
// use() is what contending threads do; works() whether it behaves when nobody else uses it.

template <class L>
struct Exclusive {
  // The holder is the thread that made this.
  Exclusive() { object.acquire(); }
  bool wait(Timeout timeout = forever) {
    if (!object.acquire(timeout)) return false;
    object.release();
    return true;
  }
  void let_go() { object.release(); }
  static void use(L& lock) {
    if (!lock.acquire(50us)) return;
    detail::backend::cpu_relax();
    lock.release();
  }
  static bool works(L& lock) noexcept {
    if (!lock.acquire(1s)) return false;
    lock.release();
    return lock.acquire(no_wait);
  }
  L object;
};

template <class S>
struct Counting {
  Counting() { object.acquire(); }
  bool wait(Timeout timeout = forever) { return object.acquire(timeout); }
  void let_go() { object.release(); }
  static void use(S& semaphore) {
    if (semaphore.acquire(50us)) semaphore.release();
  }
  static bool works(S& semaphore) noexcept { return semaphore.acquire(1s) && !semaphore.acquire(1us); }
  S object{1};
};

struct Notified {
  bool wait(Timeout timeout = forever) {
    object.acquire();
    const bool notified = object.wait(timeout);
    object.release();
    return notified;
  }
  void let_go() {
    object.acquire();
    object.notify();
    object.release();
  }
  static void use(Condition& cv) {
    cv.acquire();
    cv.notify();
    static_cast<void>(cv.wait(20us));
    cv.release();
  }
  static bool works(Condition& cv) noexcept {
    if (!cv.acquire(1s)) return false;
    cv.notify_all();
    return !cv.wait(1us);
  }
  Condition object;
};

struct Flag {
  bool wait(Timeout timeout = forever) { return object.wait(timeout); }
  void let_go() { object.set(); }
  static void use(Event& event) {
    event.set();
    event.clear();
    static_cast<void>(event.wait(20us));
  }
  static bool works(Event& event) noexcept {
    event.clear();
    if (event.wait(1us)) return false;
    event.set();
    return event.wait(1s);
  }
  Event object;
};

struct Meeting {
  bool wait(Timeout timeout = forever) {
    try {
      object.wait(timeout);
      return true;
    } catch (const BrokenBarrierError&) {
      object.reset();
      return false;
    }
  }
  void let_go() { object.wait(); }
  static void use(Barrier& barrier) {
    try {
      barrier.wait(20us);
    } catch (const BrokenBarrierError&) {
      barrier.reset();
    }
  }
  static bool works(Barrier& barrier) noexcept {
    barrier.reset();
    return !barrier.broken() && barrier.n_waiting() == 0;
  }
  Barrier object{2};
};

template <class Subject>
decltype(Subject::object) fresh() {
  if constexpr (std::is_same_v<Subject, Meeting>) {
    return Barrier(2);
  } else {
    return decltype(Subject::object)();
  }
}

// How many are queued, asked of the lot: a Barrier's own count is of those that have arrived, whoever forked.
template <class Primitive>
std::size_t queued(const Primitive& object) {
  if constexpr (std::is_same_v<Primitive, Barrier>) {
    return waiters_at(&object);
  } else {
    return waiters(object);
  }
}

template <class Subject>
class Storm : public CountsSignals {};
using Subjects = testing::Types<Exclusive<Lock>, Exclusive<RLock>, Notified, Counting<Semaphore>,
                                Counting<BoundedSemaphore>, Flag, Meeting>;
TYPED_TEST_SUITE(Storm, Subjects);

// One waits without a bound, one within bounds, each for an object of its own: no signal ends either wait.
TYPED_TEST(Storm, OfSignalsEndsNoWait) {
  const Budget budget;
  TypeParam endless;
  TypeParam bounded;
  std::array<std::atomic<pthread_t>, 2> targets{};
  std::atomic<int> ready{0};
  std::atomic<bool> done{false};
  std::atomic<bool> returned{false};
  std::int64_t timeouts = 0;
  Bunch bunch;
  bunch.add([&] {
    targets[0] = pthread_self();
    ++ready;
    EXPECT_TRUE(endless.wait());
    returned = true;
  });
  bunch.add([&] {
    targets[1] = pthread_self();
    ++ready;
    while (!done) {
      const auto until = Clock::now() + 2ms;
      ASSERT_FALSE(bounded.wait(until));
      ASSERT_GE(Clock::now(), until) << "a signal ended a wait early";
      ++timeouts;
    }
  });
  ASSERT_TRUE(eventually([&] { return ready == 2 && waiters(endless.object) == 1; }));
  while (budget.left()) {
    for (const auto& target : targets) pthread_kill(target, SIGUSR1);
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_FALSE(returned);
  done = true;
  endless.let_go();
  bunch.join();
  EXPECT_GT(handled, 0);
  EXPECT_GT(timeouts, 0);
  record("signals", handled.load());
  record("timeouts", timeouts);
}

// A child finds nobody queued where the parent's threads wait, and a new object at work.
TYPED_TEST(Storm, OfForksLeavesEachChildAPrimitiveThatWorks) {
  if (!children_may_start_threads())
    GTEST_SKIP() << "the race detector's own state does not survive a fork beside busy threads";
  const Budget budget;
  TypeParam waited_for;
  auto contended = fresh<TypeParam>();
  std::atomic<bool> done{false};
  Bunch busy(3, [&](int index) {
    Jitter jitter(index + 1);
    while (!done) {
      TypeParam::use(contended);
      jitter();
    }
  });
  Bunch waiter(1, [&] { EXPECT_TRUE(waited_for.wait()); });
  ASSERT_TRUE(eventually([&] { return waiters(waited_for.object) == 1; }));
  std::int64_t children = 0;
  while (budget.left()) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(20);
      auto mine = fresh<TypeParam>();
      const bool is_empty = queued(waited_for.object) == 0 && queued(contended) == 0;
      _exit(is_empty && TypeParam::works(mine) ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << "child " << children << " was killed by signal " << WTERMSIG(status);
    ASSERT_EQ(WEXITSTATUS(status), 0) << "child " << children;
    ++children;
  }
  done = true;
  waited_for.let_go();
  waiter.join();
  busy.join();
  EXPECT_GT(children, 0);
  record("children", children);
}

}  // namespace
