// SPDX-License-Identifier: MIT
//
// The contract, compiled: every declaration of the primitives is used here the way a program would use it, so that a
// change that breaks callers breaks this file first. Behaviour is tested room by room elsewhere.
#include <chrono>
#include <concepts>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <stop_token>
#include <string>
#include <type_traits>

#include <gtest/gtest.h>

#include <threading/barrier.hpp>
#include <threading/condition.hpp>
#include <threading/errors.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/parking_lot.hpp>
#include <threading/rlock.hpp>
#include <threading/semaphore.hpp>
#include <threading/timeout.hpp>
#include <threading/with.hpp>

namespace {

using namespace std::chrono_literals;
using threading::Barrier;
using threading::BoundedSemaphore;
using threading::Condition;
using threading::ConditionOver;
using threading::Event;
using threading::forever;
using threading::Lock;
using threading::no_wait;
using threading::RLock;
using threading::Semaphore;
using threading::Timeout;
using threading::With;

constinit Lock global_lock;
constinit RLock global_rlock;
constinit Event global_event;

template <class T>
concept Pinned = !std::copy_constructible<T> && !std::move_constructible<T> && !std::is_copy_assignable_v<T> &&
                 !std::is_move_assignable_v<T>;
static_assert(Pinned<Lock> && Pinned<RLock> && Pinned<Condition> && Pinned<Semaphore> && Pinned<BoundedSemaphore> &&
              Pinned<Event> && Pinned<Barrier> && Pinned<With<Lock>> && Pinned<ConditionOver<std::mutex>>);

template <class L>
concept TimedLockable = requires(L& lock) {
  { lock.lock() } -> std::same_as<void>;
  { lock.unlock() } noexcept -> std::same_as<void>;
  { lock.try_lock() } noexcept -> std::same_as<bool>;
  { lock.try_lock_for(1ms) } -> std::same_as<bool>;
  { lock.try_lock_until(std::chrono::steady_clock::now()) } -> std::same_as<bool>;
  { lock.try_lock_until(std::chrono::system_clock::now()) } -> std::same_as<bool>;
};
static_assert(TimedLockable<Lock> && TimedLockable<RLock>);

template <class X, class... Args>
concept Acquires = requires(X& x, Args... args) {
  { x.acquire(args...) } -> std::same_as<bool>;
};
template <class X>
concept AcquiresAsPythonDoes =
    Acquires<X> && Acquires<X, bool> && Acquires<X, bool, Timeout> && Acquires<X, bool, double> &&
    Acquires<X, Timeout> && Acquires<X, double> && Acquires<X, std::chrono::milliseconds> &&
    Acquires<X, std::chrono::steady_clock::time_point> && Acquires<X, Timeout, std::stop_token> &&
    Acquires<X, double, std::stop_token>;
static_assert(AcquiresAsPythonDoes<Lock> && AcquiresAsPythonDoes<RLock> && AcquiresAsPythonDoes<Semaphore> &&
              AcquiresAsPythonDoes<BoundedSemaphore> && AcquiresAsPythonDoes<Condition>);
// An integer is neither a Timeout nor a `blocking` flag, and a pointer is no bool.
static_assert(!Acquires<Lock, int> && !Acquires<RLock, int> && !Acquires<Semaphore, int> &&
              !Acquires<Lock, bool, int> && !Acquires<Lock, void*> && !Acquires<Condition, int> &&
              !Acquires<Semaphore, bool, int>);
static_assert(!std::convertible_to<int, Timeout> && !std::convertible_to<long, Timeout>);
static_assert(std::convertible_to<double, Timeout> && std::convertible_to<float, Timeout> &&
              std::convertible_to<std::chrono::hours, Timeout> &&
              std::convertible_to<std::chrono::duration<double>, Timeout> &&
              std::convertible_to<std::chrono::steady_clock::time_point, Timeout> &&
              !std::convertible_to<std::chrono::system_clock::time_point, Timeout>);

static_assert(std::derived_from<threading::RuntimeError, std::system_error>);
static_assert(std::derived_from<threading::BrokenBarrierError, threading::RuntimeError>);
static_assert(std::derived_from<threading::DeadlockError, threading::RuntimeError>);
static_assert(std::derived_from<threading::ValueError, std::invalid_argument>);
static_assert(std::derived_from<threading::OverflowError, std::overflow_error>);
static_assert(std::derived_from<threading::AttributeError, std::out_of_range>);

static_assert(threading::TIMEOUT_MAX.count() == 9223372036.0);
static_assert(!std::convertible_to<Lock&, Condition> && std::constructible_from<Condition, Lock&> &&
              std::constructible_from<Condition, RLock&> && std::default_initializable<Condition>);
static_assert(!std::convertible_to<int, Semaphore> && !std::convertible_to<int, Barrier>);

TEST(Contract, StandardGuardsWorkOnOurLocks) {
  Lock lock;
  RLock rlock;
  Condition condition;
  { const std::scoped_lock hold(lock, rlock, condition); }
  { const std::lock_guard hold(condition); }
  std::unique_lock hold(lock, 10ms);
  EXPECT_TRUE(hold.owns_lock());
  std::mutex mutex;
  std::unique_lock other(mutex, std::defer_lock);
  std::unique_lock third(rlock, std::defer_lock);
  std::lock(other, third);
  EXPECT_TRUE(rlock.locked());
}

TEST(Contract, GlobalsNeedNoConstructor) {
  With hold(global_lock);
  With again(global_rlock);
  EXPECT_FALSE(global_event.is_set());
}

// Tries a lock that it holds, which Clang's analysis rightly calls a mistake.
void tries_again(Lock& lock) THREADING_NO_THREAD_SAFETY_ANALYSIS {
  With hold(lock);
  EXPECT_TRUE(hold);
  if (With second{lock, 1ms}) ADD_FAILURE();
  hold.release();
  EXPECT_FALSE(lock.locked());
}

TEST(Contract, WithReadsLikePython) {
  Lock lock;
  tries_again(lock);
  Condition condition;
  BoundedSemaphore semaphore(2);
  {
    With hold(condition);
    const bool ready = true;
    EXPECT_TRUE(condition.wait_for([&] { return ready; }, 2s));
  }
  { With hold(semaphore); }
  std::stop_source stop;
  if (With hold{semaphore, forever, stop.get_token()}; !hold.holds()) ADD_FAILURE();
}

TEST(Contract, WaitForReturnsThePredicatesValue) {
  Condition condition;
  With hold(condition);
  const std::optional<int> found = condition.wait_for([] { return std::optional<int>(7); });
  EXPECT_EQ(found, 7);
  int target = 0;
  int* const pointer = condition.wait_for([&] { return &target; }, 1s);
  EXPECT_EQ(pointer, &target);
  const std::unique_ptr<int> owned =
      condition.wait_for([] { return std::make_unique<int>(3); }, forever, std::stop_token{});
  EXPECT_EQ(*owned, 3);
  static_assert(std::same_as<decltype(condition.wait_for([] { return 5L; })), long>);
  EXPECT_FALSE(condition.wait_for([] { return false; }, no_wait));
}

TEST(Contract, ConditionsTakeEveryKindOfLock) {
  Lock lock;
  RLock rlock;
  std::mutex mutex;
  std::shared_mutex shared;
  Condition over_lock(lock);
  Condition over_rlock(rlock);
  ConditionOver<std::mutex> over_mutex(mutex);
  ConditionOver over_shared(shared);
  {
    With hold(over_lock);
    EXPECT_FALSE(over_lock.wait(no_wait));
    EXPECT_TRUE(over_lock.locked());
  }
  {
    With hold(over_rlock);
    EXPECT_FALSE(over_rlock.wait(0.0));
    over_rlock.notify(3);
  }
  {
    With hold(over_mutex);
    EXPECT_FALSE(over_mutex.wait(1ms));
    over_mutex.notify_all();
  }
  {
    const std::scoped_lock hold(over_shared);
    EXPECT_FALSE(over_shared.wait(no_wait, std::stop_token{}));
  }
}

TEST(Contract, SemaphoresLookLikeTheStandardsToo) {
  Semaphore semaphore(3);
  EXPECT_TRUE(semaphore.try_acquire());
  EXPECT_TRUE(semaphore.try_acquire_for(1ms));
  EXPECT_TRUE(semaphore.try_acquire_until(std::chrono::steady_clock::now()));
  EXPECT_FALSE(semaphore.acquire(false));
  semaphore.release();
  semaphore.release(2);
  static_assert(noexcept(semaphore.try_acquire()));
  EXPECT_TRUE(Semaphore().acquire(false));
}

TEST(Contract, BarriersAndEventsTakeEveryKindOfBound) {
  Event event;
  EXPECT_FALSE(event.wait(-1.0));
  EXPECT_FALSE(event.wait(1ms, std::stop_token{}));
  event.set();
  EXPECT_TRUE(event.wait());
  EXPECT_TRUE(event.wait(forever));
  int actions = 0;
  Barrier barrier(
      1, [&] { ++actions; }, 5s);
  EXPECT_EQ(barrier.wait(), 0u);
  EXPECT_EQ(barrier.wait(1.5), 0u);
  EXPECT_EQ(barrier.wait(forever, std::stop_token{}), 0u);
  EXPECT_EQ(actions, 3);
  EXPECT_EQ(barrier.parties(), 1u);
  EXPECT_EQ(barrier.n_waiting(), 0u);
  EXPECT_FALSE(barrier.broken());
  barrier.abort();
  EXPECT_TRUE(barrier.broken());
  EXPECT_THROW(barrier.wait(), threading::BrokenBarrierError);
  barrier.reset();
  EXPECT_EQ(barrier.wait(), 0u);
}

TEST(Contract, HugeBoundsWaitRatherThanReturn) {
  Lock lock;
  if (!lock.acquire(std::chrono::hours::max())) FAIL();
  lock.release();
  Semaphore none(0);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(none.acquire(std::chrono::hours::max(), stop.get_token()));
  EXPECT_FALSE(none.acquire(std::chrono::duration<double>(1e300), stop.get_token()));
  EXPECT_FALSE(none.try_acquire_until(std::chrono::system_clock::time_point::min()));
  EXPECT_FALSE(none.try_acquire_for(-1h));
}

}  // namespace
