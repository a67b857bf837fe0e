// SPDX-License-Identifier: MIT
//
// unlock() and destructors cannot throw, so misuse found there ends the process with a message that names the object
// and the thread.
#include <csignal>
#include <functional>
#include <mutex>
#include <utility>

#include <threading/barrier.hpp>
#include <threading/condition.hpp>
#include <threading/detail/thread_token.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/parking_lot.hpp>
#include <threading/rlock.hpp>
#include <threading/semaphore.hpp>
#include <threading/with.hpp>

#include "support/support.hpp"

namespace {

using namespace support;
using namespace threading;

constexpr const char* kUnlockedLock =
    "threading: fatal: release unlocked lock: Lock at 0x[0-9a-f]+, in the thread with token [0-9]+\n";
constexpr const char* kNotOwned =
    "threading: fatal: cannot release un-acquired lock: RLock at 0x[0-9a-f]+, in the thread with token [0-9]+\n";

void in_another_thread(std::function<void()> body) {
  Bunch other;
  other.add(std::move(body));
  other.join();
}

TEST(MisuseDeath, UnlockOfAFreeLock) {
  expect_child(killed_by(SIGABRT), kUnlockedLock, [] {
    Lock lock;
    lock.unlock();
  });
}

TEST(MisuseDeath, SecondUnlockOfALock) {
  expect_child(killed_by(SIGABRT), kUnlockedLock, [] {
    Lock lock;
    lock.lock();
    lock.unlock();
    lock.unlock();
  });
}

// A guard of the standard's finds that somebody has released its lock.
TEST(MisuseDeath, AStandardGuardWhoseLockWasReleased) {
  expect_child(killed_by(SIGABRT), kUnlockedLock, [] {
    Lock lock;
    const std::lock_guard hold(lock);
    lock.release();
  });
}

TEST(MisuseDeath, AWithWhoseLockWasReleased) {
  expect_child(killed_by(SIGABRT), kUnlockedLock, [] {
    Lock lock;
    const With hold(lock);
    lock.release();
  });
}

TEST(MisuseDeath, UnlockOfAFreeRLock) {
  expect_child(killed_by(SIGABRT), kNotOwned, [] {
    RLock lock;
    lock.unlock();
  });
}

TEST(MisuseDeath, UnlockOfAnRLockOfAnotherThread) {
  if (!children_may_start_threads()) GTEST_SKIP() << "a race detector or an emulator ends a child that starts threads";
  expect_child(killed_by(SIGABRT), kNotOwned, [] {
    RLock lock;
    lock.lock();
    in_another_thread([&] { lock.unlock(); });
  });
}

TEST(MisuseDeath, OneUnlockTooManyOfANestedRLock) {
  expect_child(killed_by(SIGABRT), kNotOwned, [] {
    RLock lock;
    lock.lock();
    lock.lock();
    for (int i = 0; i < 3; ++i) lock.unlock();
  });
}

// A condition says what its lock says.
TEST(MisuseDeath, UnlockOfAConditionThatIsNotHeld) {
  expect_child(killed_by(SIGABRT), kNotOwned, [] {
    Condition cv;
    cv.unlock();
  });
  expect_child(killed_by(SIGABRT), kUnlockedLock, [] {
    Lock lock;
    Condition cv(lock);
    cv.unlock();
  });
}

// A guard over a BoundedSemaphore whose unit somebody has given back already.
TEST(MisuseDeath, AWithWhoseUnitWasReleased) {
  expect_child(killed_by(SIGABRT), "Semaphore released too many times", [] {
    BoundedSemaphore semaphore(1);
    const With hold(semaphore);
    semaphore.release();
  });
}

// The token of a thread that has one is in the message, so that dump() can tell who it was.
TEST(MisuseDeath, NamesTheThread) {
  expect_child(killed_by(SIGABRT), "token [1-9][0-9]*\n", [] {
    detail::thread_token();
    Lock lock;
    lock.unlock();
  });
}

// An exception that nobody catches says what it is.
TEST(MisuseDeath, AnErrorThatNobodyCatchesSaysItsText) {
  expect_child(killed_by(SIGABRT), "release unlocked lock", [] { Lock().release(); });
  expect_child(killed_by(SIGABRT), "semaphore initial value must be >= 0", [] { Semaphore(-1); });
}

// Objects may be destroyed in any state while nobody waits in them; nothing is said or done.
TEST(Misuse, DestructionInAnyStateIsNone) {
  if (!children_may_start_threads()) GTEST_SKIP() << "a race detector or an emulator ends a child that starts threads";
  expect_child(exited(0), "^$", [] {
    {
      Lock lock;
      lock.acquire();
      RLock rlock;
      rlock.acquire();
      rlock.acquire();
      Condition cv;
      cv.acquire();
      Semaphore semaphore(5);
      semaphore.acquire();
      BoundedSemaphore bounded(3);
      bounded.acquire();
      Event event;
      event.set();
      Barrier barrier(2);
      barrier.abort();
    }
    in_another_thread([] { RLock().acquire(); });
  });
}

}  // namespace
