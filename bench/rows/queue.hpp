// SPDX-License-Identifier: MIT
//
// The bounded queue of every textbook: one lock, two conditions, a ring of 64.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <thread>

#include "../harness.hpp"

namespace bench {

template <class R>
class BoundedQueue {
 public:
  void put(long value) {
    lock_.lock();
    while (size_ == kCapacity) not_full_.wait();
    ring_[(first_ + size_) % kCapacity] = value;
    ++size_;
    not_empty_.notify_one();
    lock_.unlock();
  }
  long get() {
    lock_.lock();
    while (size_ == 0) not_empty_.wait();
    const long value = ring_[first_];
    first_ = (first_ + 1) % kCapacity;
    --size_;
    not_full_.notify_one();
    lock_.unlock();
    return value;
  }

 private:
  static constexpr std::size_t kCapacity = 64;

  typename R::Lock lock_;
  typename R::Condition not_empty_{lock_};
  typename R::Condition not_full_{lock_};
  long ring_[kCapacity] = {};
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

template <class R>
Result run_queue(const Options& options, std::size_t pairs) {
  auto queue = std::make_unique<BoundedQueue<R>>();
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> items{0};
  Team team(options, pairs * 2, [&](std::size_t i) {
    // Neighbours get apart where threads are placed by number.
    if (i % 2 == 0) {
      while (!stop.load(std::memory_order_relaxed)) queue->put(1);
    } else {
      std::uint64_t mine = 0;
      while (queue->get() != 0) {
        if (++mine % 64 == 0) items.fetch_add(64, std::memory_order_relaxed);
      }
    }
  });
  const double switches_before = context_switches();
  const std::int64_t start = now();
  team.go();
  while (now() - start < options.duration) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  // At least 1: a tiny run may not have seen a full dozen.
  const double done = static_cast<double>(std::max<std::uint64_t>(items.load(), 1));
  const Result result{.ns = static_cast<double>(now() - start) / done,
                      .switches = (context_switches() - switches_before) / done};
  stop.store(true);
  for (std::size_t i = 0; i != pairs; ++i) queue->put(0);
  team.join();
  return result;
}

template <class R>
void add_queue_rows() {
  if constexpr (requires { typename R::Condition; }) {
    for (const std::size_t pairs : {1u, 4u}) {
      add("queue_" + std::to_string(pairs) + "_" + std::to_string(pairs), R::kName,
          [pairs](const Options& options) { return run_queue<R>(options, pairs); });
    }
  }
}

}  // namespace bench
