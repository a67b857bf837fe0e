// SPDX-License-Identifier: MIT
//
// No primitive allocates, ever: construction, uncontended and contended calls, timeouts, stops, destruction. Threads
// that sleep have a file of their own.
#include "primitives/allocation_fixture.hpp"

namespace {

using namespace allocation_test;

TEST_F(Allocation, IsNoticed) {
  struct alignas(128) Wide {
    char text[128];
  };
  void* volatile kept = nullptr;
  auto* volatile something = static_cast<int*>(nullptr);
  auto* volatile wide = static_cast<Wide*>(nullptr);
  EXPECT_EQ(allocations_of([&] { something = new int(5); }), 1);
  delete something;
  EXPECT_EQ(allocations_of([&] { wide = new Wide; }), 1);
  delete wide;
  EXPECT_EQ(allocations_of([&] { kept = std::malloc(10); }), 1);
  EXPECT_GE(allocations_of([&] { kept = std::realloc(kept, 100'000); }), 1);
  std::free(kept);
  EXPECT_EQ(allocations_of([&] { kept = std::calloc(3, 10); }), 1);
  std::free(kept);
#if !defined(TEST_SANITIZED)  // ThreadSanitizer does not report these
  EXPECT_EQ(allocations_of([&] { kept = std::aligned_alloc(64, 128); }), 1);
  std::free(kept);
  void* aligned = nullptr;
  int error = -1;
  EXPECT_EQ(allocations_of([&] { error = posix_memalign(&aligned, 64, 128); }), 1);
  EXPECT_EQ(error, 0);
  std::free(aligned);
#endif
}

template <class L>
void exercise_lock(L& lock, std::stop_token stopped) {
  lock.acquire();
  lock.release();
  lock.lock();
  lock.unlock();
  static_cast<void>(lock.try_lock());
  lock.release();
  static_cast<void>(lock.acquire(1ms));
  lock.release();
  static_cast<void>(lock.acquire(1.5, stopped));
  lock.release();
}

// The token is made outside: the state behind it is the standard library's.
std::stop_token stopped_token() {
  std::stop_source source;
  source.request_stop();
  return source.get_token();
}

TEST_F(Allocation, IsNoneOnUncontendedPaths) {
  const std::stop_token stopped = stopped_token();
  std::mutex foreign;
  counted([&] {
    Lock lock;
    RLock rlock;
    Condition cv;
    ConditionOver<std::mutex> over(foreign);
    Semaphore semaphore(2);
    BoundedSemaphore bounded(2);
    Event event;
    Barrier barrier(1);
    exercise_lock(lock, stopped);
    exercise_lock(rlock, stopped);
    exercise_lock(cv, stopped);
    {
      const With hold(cv);
      cv.notify_all();
      static_cast<void>(cv.wait_for([] { return true; }));
    }
    over.acquire();
    over.notify();
    over.release();
    semaphore.acquire();
    semaphore.release(2);
    bounded.acquire();
    bounded.release();
    event.set();
    event.wait();
    event.clear();
    barrier.wait();
    barrier.abort();
    barrier.reset();
  });
  expect_none();
}

TEST_F(Allocation, IsNoneInTimeoutsAndStops) {
  const std::stop_token stopped = stopped_token();
  Lock held;
  held.acquire();
  RLock held_elsewhere;
  Bunch holder;
  Event enough;
  std::atomic<bool> is_held{false};
  holder.add([&] {
    const With hold(held_elsewhere);
    is_held = true;
    enough.wait();
  });
  ASSERT_TRUE(eventually([&] { return is_held.load(); }));
  std::mutex foreign;
  counted([&] {
    static_cast<void>(held.acquire(2ms));
    static_cast<void>(held.acquire(forever, stopped));
    static_cast<void>(held_elsewhere.acquire(2ms));
    static_cast<void>(held_elsewhere.acquire(forever, stopped));
    Condition cv;
    cv.acquire();
    static_cast<void>(cv.wait(2ms));
    static_cast<void>(cv.wait(forever, stopped));
    static_cast<void>(cv.wait_for([] { return false; }, 2ms));
    cv.release();
    ConditionOver<std::mutex> over(foreign);
    over.acquire();
    static_cast<void>(over.wait(2ms));
    static_cast<void>(over.wait(forever, stopped));
    static_cast<void>(over.wait_for([] { return false; }, forever, stopped));
    over.release();
    Event event;
    static_cast<void>(event.wait(2ms));
    static_cast<void>(event.wait(forever, stopped));
    Semaphore semaphore(0);
    static_cast<void>(semaphore.acquire(2ms));
    static_cast<void>(semaphore.acquire(forever, stopped));
    BoundedSemaphore bounded(1);
    bounded.acquire();
    static_cast<void>(bounded.acquire(2ms));
    static_cast<void>(bounded.acquire(forever, stopped));
  });
  enough.set();
  holder.join();
  expect_none();
}

TEST_F(Allocation, IsNoneUnderContention) {
  Lock lock;
  RLock rlock;
  Semaphore semaphore(1);
  BoundedSemaphore bounded(1);
  Barrier barrier(4);
  for (int t = 0; t < 4; ++t) {
    counted_thread([&] {
      for (int i = 0; i < rounds(2'000); ++i) {
        {
          const With hold(lock);
        }
        { const With hold(rlock); }
        { const With hold(semaphore); }
        { const With hold(bounded); }
        barrier.wait();
      }
    });
  }
  expect_none();
}

// Who waits at a barrier that breaks gets an exception, whose memory is the language's. The barrier adds nothing.
TEST_F(Allocation, IsOnlyTheExceptionsWhenABarrierBreaks) {
  const auto caught = [](auto body) {
    try {
      body();
      FAIL() << "nothing was thrown";
    } catch (const BrokenBarrierError&) {
    }
  };
  const int of_one = allocations_of([&] { caught([] { throw BrokenBarrierError(); }); });
  const std::stop_token stopped = stopped_token();
  Barrier barrier(4);
  EXPECT_EQ(allocations_of([&] { caught([&] { barrier.wait(2ms); }); }), of_one);
  barrier.reset();
  EXPECT_EQ(allocations_of([&] { caught([&] { barrier.wait(forever, stopped); }); }), of_one);
  const auto with_three_waiters = [&](auto break_it) {
    barrier.reset();
    allocations = 0;
    Bunch waiting;
    for (int t = 0; t < 3; ++t) waiting.add([&] { counted([&] { caught([&] { barrier.wait(); }); }); });
    ASSERT_TRUE(eventually([&] { return waiters(barrier) == 3; }));
    counted(break_it);
    waiting.join();
  };
  with_three_waiters([&] { barrier.abort(); });
  EXPECT_EQ(allocations, 3 * of_one);
  with_three_waiters([&] { barrier.reset(); });
  EXPECT_EQ(allocations, 3 * of_one);
  barrier.reset();
  allocations = 0;
  for (int t = 0; t < 2; ++t) counted_thread([&] { caught([&] { barrier.wait(); }); });
  ASSERT_TRUE(eventually([&] { return waiters(barrier) == 2; }));
  counted([&] { caught([&] { barrier.wait(2ms); }); });
  threads_.join();
  EXPECT_EQ(allocations, 3 * of_one);
}

// The one exception, which the header names: a Barrier keeps its action.
TEST_F(Allocation, IsOneForAnActionOfABarrier) {
  counted([] { Barrier barrier(2, [] {}); });
  EXPECT_GE(allocations, 1);
}

}  // namespace
