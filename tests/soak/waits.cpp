// SPDX-License-Identifier: MIT
//
// Notifications that must all arrive, and timeouts that pass while a wake-up is on its way.
#include "soak/scenarios.hpp"

namespace soak {
namespace {

using namespace threading;

template <class CV>
void notify(Slice& slice, CV& cv) {
  Notified scenario(cv);
  slice.run({&scenario});
}

void notifications(Slice& slice) {
  switch (slice.number() % 3) {
    case 0: {
      Condition cv;
      return notify(slice, cv);
    }
    case 1: {
      Lock lock;
      Condition cv(lock);
      return notify(slice, cv);
    }
    default: {
      std::mutex mutex;
      ConditionOver cv(mutex);
      return notify(slice, cv);
    }
  }
}

// Most waits are to end by a timeout and yet have a wake-up on its way: one comes every few microseconds, at a moment
// that nobody can tell. Pauses.
constexpr std::uint32_t kBetweenWakes = 200;

// Most deadlines pass while the thread queues up, so that it leaves at once, in competition with whoever wakes it; some
// pass while it goes to sleep, some while it sleeps, which takes a hundred times as long. Nanoseconds.
std::uint32_t short_while(Random& random) {
  switch (random.below(64)) {
    case 0: return random.below(60'000);
    case 1:
    case 2:
    case 3: return random.below(4'000);
    default: return random.below(60);
  }
}

std::chrono::steady_clock::time_point soon(Worker& worker) {
  return std::chrono::steady_clock::now() + std::chrono::nanoseconds(short_while(worker.random));
}

void expect_passed(Worker& worker, std::chrono::steady_clock::time_point until) {
  worker.expect(std::chrono::steady_clock::now() >= until, "a wait ended before its time");
  worker.did();
}

// Role 0 holds the lock most of the time.
template <class L>
class LockTimeouts : public Scenario {
 public:
  int threads() const override { return 2 * processors(); }

  void work(Worker& worker) override {
    std::uint64_t mine = 0;
    while (!worker.over()) {
      if (const auto until = soon(worker); worker.role() == 0) {
        while (!lock_.try_lock()) pause(4);
      } else if (!lock_.acquire(until)) {
        expect_passed(worker, until);
        continue;
      }
      ++counter_;
      ++mine;
      pause(worker.random.below(worker.role() == 0 ? kBetweenWakes : 16));
      lock_.release();
    }
    taken_ += mine;
  }

  void check(Slice& slice) override {
    slice.expect(counter_ == taken_, "an acquisition was lost or counted twice");
    slice.expect(!lock_.locked(), "the lock is held at the end");
  }

 private:
  L lock_;
  std::uint64_t counter_ = 0;  // guarded by lock_
  std::atomic<std::uint64_t> taken_{0};
};

class EventTimeouts : public Scenario {
 public:
  int threads() const override { return 2 * processors(); }

  void work(Worker& worker) override {
    while (!worker.over()) {
      if (worker.role() == 0) {
        event_.set();
        event_.clear();
        pause(worker.random.below(kBetweenWakes));
      } else if (const auto until = soon(worker); !event_.wait(until)) {
        expect_passed(worker, until);
      }
    }
  }

  void check(Slice& slice) override {
    slice.expect(!event_.is_set() && !event_.wait(no_wait), "a cleared event lets go");
  }

 private:
  Event event_;
};

// A token for each notification; whoever waits without a bound, or within one, takes it. Role 0 puts, and now and then
// insists that all are taken: only somebody who was notified can do that.
class ConditionTimeouts : public Scenario {
 public:
  int threads() const override { return 2 * processors() + 1; }

  void work(Worker& worker) override { worker.role() == 0 ? put(worker) : take(worker); }

  void check(Slice& slice) override { slice.expect(taken_ + tokens_ == put_, "tokens were lost or made"); }

 private:
  void put(Worker& worker) {
    while (!worker.over()) {
      {
        const std::scoped_lock hold(cv_);
        ++tokens_;
        ++put_;
        cv_.notify();
      }
      pause(worker.random.below(kBetweenWakes));
      // A notification that was lost leaves its token here, and this thread with it.
      if (worker.random.below(16) == 0) {
        for (;;) {
          {
            const std::scoped_lock hold(cv_);
            if (tokens_ == 0) break;
          }
          std::this_thread::yield();
        }
      }
    }
    const std::scoped_lock hold(cv_);
    done_ = true;
    cv_.notify_all();
  }

  void take(Worker& worker) {
    for (;;) {
      const std::scoped_lock hold(cv_);
      const auto there = [&] { return tokens_ > 0 || done_; };
      if (worker.role() == 1) {
        cv_.wait_for(there);
      } else if (const auto until = soon(worker); !cv_.wait_for(there, until)) {
        expect_passed(worker, until);
        continue;
      }
      if (done_) return;
      --tokens_;
      ++taken_;
    }
  }

  Condition cv_;
  std::uint64_t tokens_ = 0;  // guarded by the lock, as are the next three
  std::uint64_t put_ = 0;
  std::uint64_t taken_ = 0;
  bool done_ = false;
};

void timeouts(Slice& slice) {
  switch (slice.number() % 5) {
    case 0: {
      LockTimeouts<Lock> scenario;
      return slice.run({&scenario});
    }
    case 1: {
      EventTimeouts scenario;
      return slice.run({&scenario});
    }
    case 2: {
      Semaphore semaphore(0);
      Units scenario(semaphore, Units<Semaphore>::Counts::timeouts, short_while, kBetweenWakes);
      return slice.run({&scenario});
    }
    case 3: {
      ConditionTimeouts scenario;
      return slice.run({&scenario});
    }
    default: {
      LockTimeouts<RLock> scenario;
      return slice.run({&scenario});
    }
  }
}

}  // namespace

void add_waits(std::vector<Row>& rows) {
  rows.push_back({"notifications", "waits ended by a notification", 1e8, notifications});
  rows.push_back({"timeouts", "waits ended by a timeout while wake-ups arrive", 1e8, timeouts});
}

}  // namespace soak
