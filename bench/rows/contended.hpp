// SPDX-License-Identifier: MIT
//
// Several threads and one lock, in four shapes: how long inside, how long outside. And the hand-over, which is the
// price of a lock whose next owner is always asleep.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "../harness.hpp"

namespace bench {

struct Shape {
  const char* name;
  double inside;   // nanoseconds
  double outside;  // nanoseconds
};

inline constexpr Shape kShapes[] = {
    {"empty", 0, 0},
    {"short", 100, 100},
    {"light", 100, 1000},
    {"long", 2000, 2000},
};

template <class R>
Result run_contended(const Options& options, std::size_t threads, const Shape& shape) {
  // On a cache line of its own, as a lock that matters should be.
  struct alignas(128) Shared {
    typename R::Lock lock;
    alignas(128) std::uint64_t counter = 0;
  };
  auto shared = std::make_unique<Shared>();
  const auto step = [inside = shape.inside, outside = shape.outside](Shared& at) {
    at.lock.lock();
    ++at.counter;
    if (inside > 0) work(inside);
    at.lock.unlock();
    if (outside > 0) work(outside);
  };
  return time_contended(
      options, threads,
      [&](std::size_t) {
        Shared& at = *shared;  // in a register, as in a function with a guard
        for (int i = 0; i != 16; ++i) step(at);
      },
      [&](std::size_t) { step(*shared); });
}

// Two threads walk round three locks, each taking the next before it lets go of the last: neither can overtake, so
// every step but the first hands a lock to a thread that waits for it.
template <class R>
Result run_hand_over(const Options& options) {
  struct alignas(128) Place {
    typename R::Lock lock;
  };
  struct Ring {
    Place places[3];
    std::atomic<bool> stop{false};
    std::atomic<bool> ready{false};
  };
  auto ring = std::make_unique<Ring>();
  ring->places[0].lock.lock();
  Team team(options, 2, [&](std::size_t i) {
    if (i == 0) return;  // the measuring thread plays number 0
    std::size_t at = 1;
    ring->places[1].lock.lock();
    ring->ready.store(true);
    while (!ring->stop.load(std::memory_order_relaxed)) {
      const std::size_t next = (at + 1) % 3;
      ring->places[next].lock.lock();
      ring->places[at].lock.unlock();
      at = next;
    }
    ring->places[at].lock.unlock();
  });
  team.go();
  while (!ring->ready.load()) std::this_thread::yield();
  std::size_t at = 0;
  const auto step = [&] {
    const std::size_t next = (at + 1) % 3;
    ring->places[next].lock.lock();
    ring->places[at].lock.unlock();
    at = next;
  };
  const Result result = time_rounds(options, step);
  ring->stop.store(true);
  ring->places[at].lock.unlock();
  team.join();
  return result;
}

template <class R>
void add_contended_rows() {
  if constexpr (requires { typename R::Lock; }) {
    for (const Shape& shape : kShapes) {
      for (const std::size_t threads : {2u, 4u, 8u}) {
        add("contended_" + std::string(shape.name) + "_" + std::to_string(threads), R::kName,
            [threads, &shape](const Options& options) { return run_contended<R>(options, threads, shape); });
      }
    }
    // Both take the lock again at once: who is in keeps it, unless the lock sees to it that the other gets it, too.
    add("adversary", R::kName, [](const Options& options) {
      static constexpr Shape kGreedy{"greedy", 20'000, 0};
      return run_contended<R>(options, 2, kGreedy);
    });
    if constexpr (!requires { R::kNeverSleeps; }) add("lock_hand_over", R::kName, run_hand_over<R>);
  }
}

}  // namespace bench
