// SPDX-License-Identifier: MIT
//
// A storm of signals, without SA_RESTART, on threads that use everything: waits go on through it, to the same end and
// the same deadline.
#include <pthread.h>
#include <signal.h>

#include <mutex>
#include <vector>

#include <threading/barrier.hpp>
#include <threading/condition.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/rlock.hpp>
#include <threading/semaphore.hpp>
#include <threading/with.hpp>

#include "stress/signals.hpp"

namespace {

using namespace stress;

class SignalStorm : public CountsSignals {
 protected:
  // Called by each thread that is to be hit, for as long as the result lives.
  class Target {
   public:
    explicit Target(SignalStorm& storm) : storm_(storm) {
      const std::scoped_lock hold(storm_.mutex_);
      storm_.targets_.push_back(pthread_self());
    }
    Target(const Target&) = delete;
    Target& operator=(const Target&) = delete;
    ~Target() {
      const std::scoped_lock hold(storm_.mutex_);
      std::erase_if(storm_.targets_, [](pthread_t thread) { return pthread_equal(thread, pthread_self()); });
    }

   private:
    SignalStorm& storm_;
  };

  // About a thousand signals a second and thread.
  void rage(const Budget& budget) {
    while (budget.left()) {
      {
        const std::scoped_lock hold(mutex_);
        for (const pthread_t thread : targets_) pthread_kill(thread, SIGUSR1);
      }
      std::this_thread::sleep_for(1ms);
    }
  }

  std::mutex mutex_;
  std::vector<pthread_t> targets_;
};

TEST_F(SignalStorm, DisturbsNobody) {
  const Budget budget;
  Lock lock;
  RLock rlock;
  Semaphore semaphore(1);
  Condition cv;
  Event event;
  std::int64_t counter = 0;  // guarded by all three locks
  std::int64_t tokens = 0;   // guarded by cv
  std::atomic<std::int64_t> steps{0};
  std::atomic<bool> done{false};
  Bunch bunch(4, [&](int index) {
    const Target target(*this);
    while (!done) {
      {
        const With first(lock);
        const With second(rlock);
        const With third(semaphore);
        ++counter;
        ++steps;
      }
      const With hold(cv);
      if (index % 2 == 0) {
        ++tokens;
        cv.notify();
      } else if (cv.wait_for([&] { return tokens > 0; }, 1ms)) {
        --tokens;
      }
    }
  });
  Bunch timed(2, [&] {
    const Target target(*this);
    while (!done) {
      const auto until = std::chrono::steady_clock::now() + 2ms;
      ASSERT_FALSE(event.wait(until));
      ASSERT_GE(std::chrono::steady_clock::now(), until) << "a signal ended a wait early";
    }
  });
  rage(budget);
  done = true;
  bunch.join();
  timed.join();
  EXPECT_EQ(counter, steps);
  EXPECT_GT(handled, 0);
  record("signals", handled.load());
  record("steps", steps.load());
}

// A wait without a bound is not ended by any number of signals.
TEST_F(SignalStorm, EndsNoWait) {
  const Budget budget;
  Event event;
  Barrier barrier(2);
  std::atomic<int> returned{0};
  Bunch bunch;
  bunch.add([&] {
    const Target target(*this);
    EXPECT_TRUE(event.wait());
    ++returned;
  });
  bunch.add([&] {
    const Target target(*this);
    EXPECT_EQ(barrier.wait(), 0u);
    ++returned;
  });
  ASSERT_TRUE(eventually([&] { return waiters(event) == 1 && barrier.n_waiting() == 1; }));
  rage(budget);
  EXPECT_EQ(returned, 0);
  event.set();
  barrier.wait();
}

}  // namespace
