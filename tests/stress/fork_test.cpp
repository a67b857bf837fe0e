// SPDX-License-Identifier: MIT
//
// Fork in a loop, from a worker, while other threads hold and wait for everything: each child has a library that works.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stop_token>

#include <threading/barrier.hpp>
#include <threading/condition.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/rlock.hpp>
#include <threading/semaphore.hpp>
#include <threading/with.hpp>

#include "stress/stress.hpp"

namespace {

using namespace stress;

// What a child does with fresh objects, and with addresses at which the parent's threads wait. No allocation, since the
// child of a process with threads may not count on malloc(). Returns: whether all went well.
bool library_works(Lock& busy_lock, Event& busy_event) noexcept {
  if (waiters(busy_lock) != 0 || waiters(busy_event) != 0) return false;
  busy_event.set();
  if (!busy_event.wait(no_wait)) return false;
  Lock lock;
  const With hold(lock);
  if (lock.acquire(1us)) return false;
  Condition cv;
  const With hold_condition(cv);
  cv.notify_all();
  if (cv.wait(1us)) return false;
  Semaphore semaphore(0);
  if (semaphore.acquire(1us)) return false;
  semaphore.release();
  if (!semaphore.acquire()) return false;
  Event event;
  if (event.wait(1us)) return false;
  event.set();
  return event.wait();
}

TEST(ForkStorm, LeavesEachChildALibraryThatWorks) {
  if (!children_may_start_threads())
    GTEST_SKIP() << "the race detector's own state does not survive a fork beside busy threads";
  const Budget budget;
  Lock lock;
  Condition cv;
  Semaphore semaphore(1);
  Event event;
  Barrier barrier(2);
  std::atomic<bool> done{false};
  Bunch busy(4, [&](int index) {
    Jitter jitter(index + 1);
    while (!done) {
      {
        const With hold(lock);
      }
      {
        const With hold(cv);
        cv.notify();
        static_cast<void>(cv.wait(20us));
      }
      { const With hold(semaphore); }
      static_cast<void>(event.wait(10us));
      // Threads come and go as well: each takes and gives back a token.
      if (jitter.below(32) == 0) {
        std::thread([&] {
          const With hold(lock);
          detail::thread_token();
        }).join();
      }
      jitter();
    }
  });
  std::int64_t children = 0;
  Bunch forker;
  forker.add([&] {
    while (budget.left()) {
      const pid_t child = fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        alarm(20);
        _exit(library_works(lock, event) ? 0 : 1);
      }
      int status = 0;
      ASSERT_EQ(waitpid(child, &status, 0), child);
      ASSERT_TRUE(WIFEXITED(status)) << "child " << children << " was killed by signal " << WTERMSIG(status);
      ASSERT_EQ(WEXITSTATUS(status), 0) << "child " << children;
      ++children;
    }
  });
  forker.join();
  done = true;
  busy.join();
  EXPECT_GT(children, 0);
  record("children", children);
}

}  // namespace
