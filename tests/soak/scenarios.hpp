// SPDX-License-Identifier: MIT
//
// Scenarios that more than one row runs.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include <threading/barrier.hpp>
#include <threading/condition.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/rlock.hpp>
#include <threading/semaphore.hpp>

#include "soak/soak.hpp"

namespace soak {

using namespace std::chrono_literals;

// Everybody counts under one lock, taken in every way there is. L: whatever has acquire() and release(), free.
template <class L>
class Exclusion : public Scenario {
 public:
  explicit Exclusion(L& lock, int threads = 2 * processors()) : lock_(lock), threads_(threads) {}

  int threads() const override { return threads_; }

  void work(Worker& worker) override {
    std::uint64_t mine = 0;
    while (!worker.over()) {
      std::uint64_t calls = 0;
      for (int i = 0; i < 64; ++i) {
        ++calls;
        if (!take(worker)) continue;
        worker.expect(++inside_ == 1, "two threads hold one lock");
        ++counter_;
        ++mine;
        if constexpr (requires { lock_.notify(); }) {
          lock_.notify();
          ++calls;
        }
        if (worker.random.below(16) == 0) pause(worker.random.below(64));
        --inside_;
        lock_.release();
        ++calls;
      }
      worker.did(calls);
    }
    taken_ += mine;
  }

  void check(Slice& slice) override {
    slice.expect(counter_ == taken_, "an acquisition was lost or counted twice");
    const bool is_free = lock_.acquire(threading::no_wait);
    slice.expect(is_free, "the lock is not free at the end");
    if (is_free) lock_.release();
  }

 private:
  bool take(Worker& worker) {
    switch (worker.random.below(8)) {
      case 0: return lock_.acquire(false);
      case 1: return lock_.acquire(std::chrono::nanoseconds(worker.random.below(30'000)));
      default: return lock_.acquire();
    }
  }

  L& lock_;
  int threads_;
  std::uint64_t counter_ = 0;  // guarded by lock_
  int inside_ = 0;             // guarded by lock_, or so it should be
  std::atomic<std::uint64_t> taken_{0};
};

// Two threads and two events, which take turns. A set() that is lost hangs.
class EventTurns : public Scenario {
 public:
  int threads() const override { return 2; }

  void work(Worker& worker) override {
    const auto me = static_cast<std::size_t>(worker.role());
    threading::Event& mine = events_[me];
    threading::Event& other = events_[1 - me];
    for (bool begins = me == 0;; begins = false) {
      if (!begins) {
        worker.expect(mine.wait(), "a wait without a bound ended without a set");
        worker.expect(mine.is_set(), "an event let go that was not set");
        mine.clear();
        worker.expect(turn_ == me, "an event let go out of turn");
      }
      if (worker.over()) done_ = true;
      const bool last = done_;
      turn_ = 1 - me;
      other.set();
      worker.did(3);
      if (last) return;
    }
  }

  void check(Slice&) override {}

 private:
  std::array<threading::Event, 2> events_;
  std::size_t turn_ = 0;  // handed over with the set(), as is the next
  bool done_ = false;
};

// Parties that count generations on their own.
class InStep : public Scenario {
 public:
  InStep(Slice& slice, int parties)
      : parties_(parties), barrier_(static_cast<std::size_t>(parties), [this, &slice] {
          ++generation_;
          if (slice.over()) done_ = true;
        }) {}

  int threads() const override { return parties_; }

  void work(Worker& worker) override {
    std::uint64_t mine = 0;
    while (!done_) {
      const std::size_t order = barrier_.wait();
      ++mine;
      // Nobody can complete the next generation without this thread.
      worker.expect(generation_ == mine, "a party passed the barrier in another generation");
      worker.expect(order < static_cast<std::size_t>(parties_), "an order of arrival beyond the parties");
      arrivals_ += order;
      worker.did();
    }
  }

  void check(Slice& slice) override {
    const auto parties = static_cast<std::uint64_t>(parties_);
    slice.expect(!barrier_.broken() && barrier_.n_waiting() == 0, "the barrier is broken or not empty at the end");
    slice.expect(arrivals_ == generation_ * (parties * (parties - 1) / 2), "two parties had the same order of arrival");
  }

 private:
  int parties_;
  std::uint64_t generation_ = 0;  // written by the action only, as is the next
  bool done_ = false;
  std::atomic<std::uint64_t> arrivals_{0};
  threading::Barrier barrier_;
};

// The notifier holds the lock and so knows exactly how many wait, and how many must return. Counts waits that were
// notified: a notification that is lost leaves a thread behind, which hangs.
template <class CV>
class Notified : public Scenario {
 public:
  explicit Notified(CV& cv, int waiters = 5) : cv_(cv), waiters_(waiters) {}

  int threads() const override { return 1 + waiters_; }

  void work(Worker& worker) override { worker.role() == 0 ? notify(worker) : wait(worker); }

  void check(Slice& slice) override {
    slice.expect(returned_ == notified_, "not as many waits returned as were notified");
  }

 private:
  void notify(Worker& worker) {
    while (!worker.over()) {
      bool idle = true;
      {
        const std::scoped_lock hold(cv_);
        if (waiting_ > 0) idle = false;
        const std::uint64_t n = worker.random.below(4);
        cv_.notify(n);
        account(n);
      }
      if (idle) std::this_thread::yield();
    }
    const std::scoped_lock hold(cv_);
    done_ = true;
    cv_.notify_all();
    account(waiting_);
  }

  void wait(Worker& worker) {
    const std::scoped_lock hold(cv_);
    while (!done_) {
      ++waiting_;
      worker.expect(cv_.wait(), "a wait without a bound ended without a notification");
      ++returned_;
      worker.expect(returned_ <= notified_, "woken by nobody");
      worker.did();
    }
  }

  void account(std::uint64_t n) {
    const std::uint64_t woken = std::min(n, waiting_);
    waiting_ -= woken;
    notified_ += woken;
  }

  CV& cv_;
  int waiters_;
  std::uint64_t waiting_ = 0;  // guarded by the lock, as are the next three
  std::uint64_t notified_ = 0;
  std::uint64_t returned_ = 0;
  bool done_ = false;
};

inline std::uint32_t up_to_30_microseconds(Random& random) { return random.below(30'000); }

// Units are conserved. Role 0 releases; the others take, some within a bound. Counts the waits that timed out, or all
// calls.
template <class S>
class Units : public Scenario {
 public:
  enum class Counts { timeouts, calls };
  using Nanoseconds = std::uint32_t (*)(Random& random);
  Units(S& semaphore, Counts counts, Nanoseconds while_waited, std::uint32_t longest_pause = 64)
      : semaphore_(semaphore), counts_(counts), while_waited_(while_waited), longest_pause_(longest_pause) {}

  int threads() const override { return 2 * processors(); }

  void work(Worker& worker) override { worker.role() == 0 ? give(worker) : take(worker); }

  void check(Slice& slice) override {
    slice.expect(taken_ + static_cast<std::uint64_t>(semaphore_.value()) == given_, "units were lost or made");
    while (semaphore_.try_acquire()) ++taken_;
    slice.expect(taken_ == given_, "a unit that was counted could not be taken");
  }

 private:
  void give(Worker& worker) {
    while (!worker.over()) {
      if (semaphore_.value() > 8) {
        std::this_thread::yield();
        continue;
      }
      const std::uint32_t n = 1 + worker.random.below(2);
      semaphore_.release(static_cast<std::ptrdiff_t>(n));
      given_ += n;
      if (counts_ == Counts::calls) worker.did();
      pause(worker.random.below(longest_pause_));
    }
    // Whoever waits without a bound is let go: each takes one at most.
    semaphore_.release(threads());
    given_ += static_cast<std::uint64_t>(threads());
  }

  void take(Worker& worker) {
    std::uint64_t mine = 0;
    while (!worker.over()) {
      bool got = true;
      if (worker.role() == 1) {
        semaphore_.acquire();
      } else {
        const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(while_waited_(worker.random));
        got = semaphore_.acquire(until);
        if (!got) worker.expect(std::chrono::steady_clock::now() >= until, "a wait ended before its time");
      }
      if (got) ++mine;
      if (counts_ == Counts::calls || !got) worker.did();
    }
    taken_ += mine;
  }

  S& semaphore_;
  Counts counts_;
  Nanoseconds while_waited_;
  std::uint32_t longest_pause_;  // between two releases
  std::uint64_t given_ = 0;      // by role 0 alone
  std::atomic<std::uint64_t> taken_{0};
};

}  // namespace soak
