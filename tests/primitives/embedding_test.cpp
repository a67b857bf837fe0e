// SPDX-License-Identifier: MIT
//
// What a language runtime is promised beyond the public classes.
#include <threading/embedding.hpp>

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <string>

#include "support/lot.hpp"
#include "support/support.hpp"

namespace {

using namespace support;
using namespace threading;
using Outcome = Embedding::Outcome;
using Wait = Embedding::Wait;

Wait within(std::chrono::milliseconds delay) {
  return {.deadline = Deadline::after(std::chrono::nanoseconds(delay).count())};
}

// Only the futex parker reports signals.
#if defined(THREADING_PARKER_CONDVAR)
constexpr bool kSeesSignals = false;
#else
constexpr bool kSeesSignals = true;
#endif

// Sends SIGUSR2 to a thread until it says that it has noticed.
class Interrupted : public testing::Test {
 protected:
  void SetUp() override {
    if (!kSeesSignals) GTEST_SKIP() << "this parker does not report signals";
    struct sigaction action = {};
    action.sa_handler = [](int) {};
    sigaction(SIGUSR2, &action, &before_);
  }
  void TearDown() override {
    if (kSeesSignals) sigaction(SIGUSR2, &before_, nullptr);
  }
  // Runs `wait` on a thread, which is sent signals until it returns.
  template <class Body>
  Outcome interrupt(Body wait) {
    std::atomic<pthread_t> thread{};
    std::atomic<bool> started{false};
    std::atomic<bool> returned{false};
    Outcome outcome{};
    Bunch bunch;
    bunch.add([&] {
      thread = pthread_self();
      started = true;
      outcome = wait();
      returned = true;
      while (started) std::this_thread::yield();  // alive while it may be signalled
    });
    EXPECT_TRUE(eventually([&] { return started.load(); }));
    EXPECT_TRUE(eventually([&] {
      if (!returned) pthread_kill(thread, SIGUSR2);
      return returned.load();
    }));
    started = false;
    bunch.join();
    return outcome;
  }
  struct sigaction before_ = {};
};

const Wait kInterruptible{.interruptible = true};

TEST_F(Interrupted, EveryWaitSaysSo) {
  Lock lock;
  lock.acquire();
  EXPECT_EQ(interrupt([&] { return Embedding::acquire(lock, kInterruptible); }), Outcome::interrupted);
  EXPECT_EQ(interrupt([&] { return Embedding::wait_until_free(lock, kInterruptible); }), Outcome::interrupted);
  EXPECT_EQ(waiters(lock), 0u);
  lock.release();
  RLock rlock;
  rlock.acquire();
  EXPECT_EQ(interrupt([&] { return Embedding::acquire(rlock, kInterruptible); }), Outcome::interrupted);
  rlock.release();
  Event event;
  EXPECT_EQ(interrupt([&] { return Embedding::wait(event, kInterruptible); }), Outcome::interrupted);
  Semaphore semaphore(0);
  EXPECT_EQ(interrupt([&] { return Embedding::acquire(semaphore, kInterruptible); }), Outcome::interrupted);
}

// The condition's lock is let go for the wait, and not taken back until the runtime asks.
TEST_F(Interrupted, AConditionsWaitLeavesTheLockToBeTakenBack) {
  Condition cv;
  EXPECT_EQ(interrupt([&] {
              cv.acquire();
              cv.acquire();
              const auto waited = Embedding::wait_released(cv, kInterruptible);
              EXPECT_FALSE(waited.owns);
              Embedding::take_back(cv, waited);
              cv.release();
              cv.release();
              return waited.outcome;
            }),
            Outcome::interrupted);
  EXPECT_FALSE(cv.locked());
  EXPECT_EQ(Embedding::waiters(cv), 0u);
}

// A party that leaves by a signal is uncounted, and the barrier is not broken.
TEST_F(Interrupted, ABarrierUncountsThePartyAndStaysWhole) {
  Barrier barrier(2);
  interrupt([&] {
    const auto arrival = Embedding::arrive(barrier, kInterruptible);
    EXPECT_EQ(arrival.what, Embedding::Arrived::interrupted);
    return Outcome::interrupted;
  });
  EXPECT_EQ(barrier.n_waiting(), 0u);
  EXPECT_FALSE(barrier.broken());
  Bunch bunch(2, [&] { barrier.wait(); });
}

// A wait that is not interruptible sleeps through signals, until its deadline.
TEST_F(Interrupted, WaitsThatAreNotInterruptibleSleepOn) {
  Event event;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(interrupt([&] { return Embedding::wait(event, within(kShortDelay)); }), Outcome::timed_out);
  EXPECT_GE(std::chrono::steady_clock::now() - start, kShortDelay);
}

struct Asked {
  std::atomic<int> times{0};
  int enough = 0;
  static bool stays(void* self) {
    auto& asked = *static_cast<Asked*>(self);
    return ++asked.times < asked.enough;
  }
};

// With a hook the thread keeps its place in the queue while handlers run, and the hook says when the wait ends.
TEST_F(Interrupted, TheSignalHookDecidesWhetherTheWaitGoesOn) {
  Event event;
  Asked asked;
  asked.enough = 3;
  const Wait wait{.interruptible = true, .on_signal = {&Asked::stays, &asked}};
  EXPECT_EQ(interrupt([&] { return Embedding::wait(event, wait); }), Outcome::interrupted);
  EXPECT_EQ(asked.times, 3);
}

TEST(Embedding, AcquiresWithinABound) {
  Lock lock;
  RLock rlock;
  EXPECT_EQ(Embedding::acquire(lock, {}), Outcome::ok);
  EXPECT_EQ(Embedding::acquire(lock, within(kShortDelay)), Outcome::timed_out);
  EXPECT_EQ(Embedding::acquire(lock, {.deadline = Deadline::passed()}), Outcome::timed_out);
  lock.release();
  EXPECT_EQ(Embedding::acquire(rlock, {}), Outcome::ok);
  EXPECT_EQ(Embedding::acquire(rlock, {}), Outcome::ok);
  EXPECT_EQ(Embedding::depth(rlock), 2u);
  EXPECT_EQ(Embedding::release_all(rlock), 2u);
  EXPECT_FALSE(rlock.locked());
}

TEST(Embedding, WaitsUntilALockIsFreeWithoutTakingIt) {
  Lock lock;
  EXPECT_EQ(Embedding::wait_until_free(lock, {}), Outcome::ok);
  EXPECT_FALSE(lock.locked());
  lock.acquire();
  EXPECT_EQ(Embedding::wait_until_free(lock, {.deadline = Deadline::passed()}), Outcome::timed_out);
  EXPECT_EQ(Embedding::wait_until_free(lock, within(kShortDelay)), Outcome::timed_out);
  Bunch bunch;
  bunch.add([&] { EXPECT_EQ(Embedding::wait_until_free(lock, {}), Outcome::ok); });
  ASSERT_TRUE(eventually([&] { return waiters(lock) == 1; }));
  lock.release();
  bunch.join();
  EXPECT_TRUE(lock.try_lock());
  lock.release();
}

// One that only looked passes the wake on, or the next in the queue would sleep beside a free lock.
TEST(Embedding, PassesOnAWakeThatItDoesNotUse) {
  for (int i = 0; i < rounds(500); ++i) {
    RLock lock;
    lock.acquire();
    Bunch bunch;
    bunch.add([&] {
      if (Embedding::wait_until_free(lock, {}) == Outcome::ok) Embedding::pass_on(lock);
    });
    ASSERT_TRUE(eventually([&] { return waiters(lock) == 1; }));
    bunch.add([&] {
      lock.acquire();
      lock.release();
    });
    if (i % 2 == 0) {
      ASSERT_TRUE(eventually([&] { return waiters(lock) == 2; }));
    }
    lock.release();
  }
}

// Notified, and queued for the lock before another: one of several levels that never comes back for them.
TEST(Embedding, AThreadThatWillBeEndedLetsTheNextHaveTheLock) {
  for (int i = 0; i < rounds(200); ++i) {
    Condition cv;
    Bunch bunch;
    bunch.add([&] {
      cv.acquire();
      cv.acquire();
      auto waited = Embedding::wait_released(cv, {});
      if (i % 2 == 0) {
        Embedding::take_back(cv, waited);
        waited.owns = true;
      }
      Embedding::let_go(cv, waited);
      EXPECT_FALSE(waited.owns);
    });
    ASSERT_TRUE(eventually([&] { return Embedding::waiters(cv) == 1; }));
    cv.acquire();
    cv.notify();
    bunch.add([&] {
      cv.acquire();
      cv.release();  // its only level
    });
    if (i % 3 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));  // the lock is handed over then
    cv.release();
    bunch.join();
    EXPECT_FALSE(cv.locked());
  }
}

TEST(Embedding, WhatWasLetGoIsTakenBackWithAllLevels) {
  Condition cv;
  cv.acquire();
  cv.acquire();
  auto waited = Embedding::wait_released(cv, {.deadline = Deadline::passed()});
  Embedding::take_back(cv, waited);
  waited.owns = true;
  Embedding::let_go(cv, waited);
  EXPECT_FALSE(cv.locked());
  ASSERT_TRUE(Embedding::try_take_back(cv, waited));
  cv.release();
  EXPECT_TRUE(cv.locked());
  cv.release();
  EXPECT_FALSE(cv.locked());
}

std::string region_log;

// leave and enter frame the call that blocks.
TEST(Embedding, FramesABlockingCall) {
  region_log.clear();
  const Embedding::Region region{[](void* log) { *static_cast<std::string*>(log) += "leave "; },
                                 [](void* log) { *static_cast<std::string*>(log) += "enter"; }, &region_log};
  EXPECT_EQ(Embedding::blocking(region,
                                [] {
                                  region_log += "call ";
                                  return 7;
                                }),
            7);
  EXPECT_EQ(region_log, "leave call enter");
}

// The runtime's own lock: queued before it is let go, woken in order, exactly as many as asked.
TEST(Embedding, WaitsOverALockOfTheRuntimesOwn) {
  Embedding::ForeignWord word{0};
  std::mutex lock;
  std::atomic<int> notified{0};
  Bunch bunch;
  for (int i = 0; i < 3; ++i) {
    bunch.add([&] {
      lock.lock();
      const auto unlock = [&]() noexcept { lock.unlock(); };
      if (Embedding::foreign_wait(word, unlock, {}) == Outcome::ok) ++notified;
    });
  }
  ASSERT_TRUE(eventually([&] { return Embedding::waiters(word) == 3; }));
  Embedding::foreign_notify(word, 2);
  EXPECT_TRUE(eventually([&] { return notified == 2; }));
  EXPECT_EQ(Embedding::waiters(word), 1u);
  Embedding::foreign_notify(word, 5);
  bunch.join();
  EXPECT_EQ(notified, 3);
  lock.lock();
  EXPECT_EQ(Embedding::foreign_wait(word, [&]() noexcept { lock.unlock(); }, {.deadline = Deadline::passed()}),
            Outcome::timed_out);
}

// In two halves, with the runtime running the action between.
TEST(Embedding, RunsABarrierInTwoHalves) {
  Barrier barrier(2, [] { ADD_FAILURE() << "the runtime runs the action"; });
  Bunch bunch;
  std::atomic<bool> passed{false};
  bunch.add([&] {
    const auto arrival = Embedding::arrive(barrier, {});
    EXPECT_EQ(arrival.what, Embedding::Arrived::passed);
    EXPECT_EQ(arrival.index, 0u);
    passed = true;
  });
  ASSERT_TRUE(eventually([&] { return barrier.n_waiting() == 1; }));
  const auto arrival = Embedding::arrive(barrier, {});
  EXPECT_EQ(arrival.what, Embedding::Arrived::must_act);
  EXPECT_EQ(arrival.index, 1u);
  EXPECT_FALSE(passed);
  EXPECT_TRUE(Embedding::finish(barrier, false));
  bunch.join();
  EXPECT_EQ(Embedding::arrive(barrier, {.deadline = Deadline::passed()}).what, Embedding::Arrived::broken);
}

TEST(Embedding, TellsAFailedActionToTheOthers) {
  Barrier barrier(2, [] {});
  Bunch bunch;
  bunch.add([&] { EXPECT_EQ(Embedding::arrive(barrier, {}).what, Embedding::Arrived::broken); });
  ASSERT_TRUE(eventually([&] { return barrier.n_waiting() == 1; }));
  EXPECT_EQ(Embedding::arrive(barrier, {}).what, Embedding::Arrived::must_act);
  EXPECT_FALSE(Embedding::finish(barrier, true));
  EXPECT_TRUE(barrier.broken());
}

// In a forked child a runtime puts its objects right, whoever held or waited for them in the parent.
TEST(Embedding, ResetsEveryObjectInAForkedChild) {
  Lock lock;
  RLock rlock;
  Condition cv;
  Event event;
  Barrier barrier(2);
  event.set();
  std::atomic<bool> held{false};
  Event enough;
  Bunch bunch;
  bunch.add([&] {
    lock.acquire();
    rlock.acquire();
    cv.acquire();
    held = true;
    enough.wait();
    cv.release();
    rlock.release();
    lock.release();
  });
  bunch.add([&] {
    try {
      barrier.wait();
    } catch (const BrokenBarrierError&) {
    }
  });
  ASSERT_TRUE(eventually([&] { return held && barrier.n_waiting() == 1; }));
  expect_child(exited(0), "", [&] {
    EXPECT_FALSE(lock.try_lock()) << "a user's lock stays as it was";
    Embedding::reset_after_fork(lock);
    Embedding::reset_after_fork(rlock);
    Embedding::reset_after_fork(cv);
    Embedding::reset_after_fork(event);
    Embedding::reset_after_fork(barrier);
    EXPECT_TRUE(lock.try_lock());
    EXPECT_TRUE(rlock.try_lock());
    EXPECT_EQ(Embedding::depth(rlock), 1u);
    EXPECT_THROW(cv.notify(), RuntimeError) << "over the lock that it was over, which nobody holds";
    EXPECT_TRUE(cv.try_lock());
    cv.notify();
    EXPECT_FALSE(event.is_set());
    EXPECT_EQ(barrier.n_waiting(), 0u);
  });
  enough.set();
  barrier.abort();
}

}  // namespace
