// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "../harness.hpp"

namespace bench {

// A lock, a condition over it and a turn: each thread waits for its turn, then gives it to the other.
template <class R>
Result run_condition_ping_pong(const Options& options) {
  struct Shared {
    typename R::Lock lock;
    typename R::Condition condition{lock};
    int turn = 0;
    bool stop = false;
  };
  auto shared = std::make_unique<Shared>();
  Options theirs = options;
  Team team(theirs, 2, [&](std::size_t i) {
    if (i == 0) return;  // the measuring thread plays number 0
    shared->lock.lock();
    for (;;) {
      while (shared->turn != 1 && !shared->stop) shared->condition.wait();
      if (shared->stop) break;
      shared->turn = 0;
      shared->condition.notify_one();
    }
    shared->lock.unlock();
  });
  team.go();
  const Result result = time_rounds(options, [&] {
    shared->lock.lock();
    shared->turn = 1;
    shared->condition.notify_one();
    while (shared->turn != 0) shared->condition.wait();
    shared->lock.unlock();
  });
  shared->lock.lock();
  shared->stop = true;
  shared->condition.notify_all();
  shared->lock.unlock();
  team.join();
  return result;
}

// All of `waiters` threads wait; one notifies them all and waits until the last of them has come back.
template <class R>
Result run_broadcast(const Options& options, std::size_t waiters) {
  struct Shared {
    typename R::Lock lock;
    typename R::Condition go{lock};
    typename R::Condition all_waiting{lock};
    std::size_t waiting = 0;
    std::uint64_t generation = 0;
    bool stop = false;
  };
  auto shared = std::make_unique<Shared>();
  Team team(options, waiters, [&](std::size_t) {
    shared->lock.lock();
    while (!shared->stop) {
      const std::uint64_t seen = shared->generation;
      if (++shared->waiting == waiters) shared->all_waiting.notify_one();
      while (shared->generation == seen) shared->go.wait();
    }
    shared->lock.unlock();
  });
  team.go();
  const auto round = [&](bool stop) {
    shared->lock.lock();
    while (shared->waiting != waiters) shared->all_waiting.wait();
    shared->waiting = 0;
    ++shared->generation;
    shared->stop = stop;
    shared->go.notify_all();
    shared->lock.unlock();
  };
  const Result result = time_rounds(options, [&] { round(false); });
  round(true);
  team.join();
  return result;
}

template <class R>
void add_condition_rows() {
  if constexpr (requires { typename R::Condition; }) {
    add("notify_idle", R::kName, [](const Options& options) {
      typename R::Lock lock;
      typename R::Condition condition{lock};
      lock.lock();
      const Result result = time_each(options, [&] { condition.notify_one(); });
      lock.unlock();
      return result;
    });
    add("condition_ping_pong", R::kName, run_condition_ping_pong<R>);
    for (const std::size_t waiters : {8u, 64u}) {
      add("condition_broadcast_" + std::to_string(waiters), R::kName,
          [waiters](const Options& options) { return run_broadcast<R>(options, waiters); });
    }
  }
}

}  // namespace bench
