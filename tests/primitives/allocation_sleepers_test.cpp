// SPDX-License-Identifier: MIT
//
// No primitive allocates, ever: threads that sleep, and are woken, let in, or stopped.
#include "primitives/allocation_fixture.hpp"

namespace {

using namespace allocation_test;

TEST_F(Allocation, IsNoneWhenWaitersAreWoken) {
  Condition cv;
  Event event;
  std::mutex foreign;
  ConditionOver<std::mutex> over(foreign);
  int waiting = 0;
  for (int t = 0; t < 3; ++t) {
    counted_thread([&] {
      cv.acquire();
      ++waiting;
      static_cast<void>(cv.wait());
      cv.release();
      static_cast<void>(event.wait());
      over.acquire();
      ++waiting;
      static_cast<void>(over.wait());
      over.release();
    });
  }
  ASSERT_TRUE(eventually([&] { return waiters(cv) == 3; }));
  counted([&] {
    const With hold(cv);
    cv.notify_all();
  });
  ASSERT_TRUE(eventually([&] { return waiters(event) == 3; }));
  counted([&] { event.set(); });
  ASSERT_TRUE(eventually([&] {
    const std::scoped_lock hold(foreign);
    return waiting == 6;
  }));
  counted([&] {
    over.acquire();
    over.notify_all();
    over.release();
  });
  expect_none();
}

TEST_F(Allocation, IsNoneWhenSleepersAreLetIn) {
  const auto let_in = [this](auto& object) {
    object.acquire();
    for (int t = 0; t < 3; ++t) {
      counted_thread([&object] {
        object.acquire();
        object.release();
      });
    }
    ASSERT_TRUE(eventually([&] { return waiters(object) == 3; }));
    counted([&] { object.release(); });
    threads_.join();
  };
  Lock lock;
  RLock rlock;
  Semaphore semaphore(1);
  BoundedSemaphore bounded(1);
  let_in(lock);
  let_in(rlock);
  let_in(semaphore);
  let_in(bounded);
  expect_none();
}

TEST_F(Allocation, IsNoneWhenAWaiterHasLevelsToTakeBack) {
  RLock rlock;
  Condition cv(rlock);
  counted_thread([&] {
    const With outer(rlock);
    const With inner(rlock);
    static_cast<void>(cv.wait());
    static_cast<void>(cv.wait(2ms));
  });
  ASSERT_TRUE(eventually([&] { return waiters(cv) == 1; }));
  counted([&] {
    const With hold(rlock);
    cv.notify();
  });
  expect_none();
}

TEST_F(Allocation, IsNoneWhenSleepersAreStopped) {
  std::stop_source source;
  const std::stop_token token = source.get_token();
  Condition cv;
  std::mutex foreign;
  ConditionOver<std::mutex> over(foreign);
  bool waits = false;
  bool notified = true;
  counted_thread([&] {
    const With hold(cv);
    notified = cv.wait(forever, token);
  });
  bool notified_over = true;
  counted_thread([&] {
    over.acquire();
    waits = true;
    notified_over = over.wait(forever, token);
    over.release();
  });
  ASSERT_TRUE(eventually([&] {
    const std::scoped_lock hold(foreign);
    return waits && waiters(cv) == 1;
  }));
  counted([&] { source.request_stop(); });
  expect_none();
  EXPECT_FALSE(notified);
  EXPECT_FALSE(notified_over);
}

TEST_F(Allocation, IsNoneWhenSleepersAtClosedDoorsAreStopped) {
  std::stop_source source;
  const std::stop_token token = source.get_token();
  std::atomic<int> let_in{0};
  Lock lock;
  RLock rlock;
  Semaphore semaphore(0);
  Event event;
  lock.acquire();
  rlock.acquire();
  counted_thread([&] { let_in += lock.acquire(forever, token) ? 1 : 0; });
  counted_thread([&] { let_in += rlock.acquire(forever, token) ? 1 : 0; });
  counted_thread([&] { let_in += semaphore.acquire(forever, token) ? 1 : 0; });
  counted_thread([&] { let_in += event.wait(forever, token) ? 1 : 0; });
  ASSERT_TRUE(eventually(
      [&] { return waiters(lock) == 1 && waiters(rlock) == 1 && waiters(semaphore) == 1 && waiters(event) == 1; }));
  counted([&] { source.request_stop(); });
  expect_none();
  EXPECT_EQ(let_in, 0);
  rlock.release();
  lock.release();
}

}  // namespace
