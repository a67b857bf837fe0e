// SPDX-License-Identifier: MIT
//
// The queue between the walker and the workers. Bounded, so that a tree of a
// million files is never in memory at once: the walker waits for the workers.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include <threading/condition.hpp>
#include <threading/lock.hpp>
#include <threading/with.hpp>

namespace threadsum {

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {}

  // Waits for room and adds `item` at the end. False: the queue is closed, and
  // the item was not added.
  bool put(T item) {
    threading::With hold(lock_);
    room_.wait_for([&] { return closed_ || items_.size() < capacity_; });
    if (closed_) return false;
    items_.push_back(std::move(item));
    filled_.notify();
    return true;
  }

  // Waits for an item and removes the oldest. Nothing: the queue is closed and
  // every item was taken.
  std::optional<T> take() {
    threading::With hold(lock_);
    filled_.wait_for([&] { return closed_ || !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    T item = std::move(items_.front());
    items_.pop_front();
    room_.notify();
    return item;
  }

  // Nothing more will be put; what is queued can still be taken.
  void close() {
    threading::With hold(lock_);
    close_locked();
  }

  // As close(), and what is queued is dropped.
  void abandon() {
    threading::With hold(lock_);
    items_.clear();
    close_locked();
  }

 private:
  void close_locked() {
    closed_ = true;
    room_.notify_all();
    filled_.notify_all();
  }

  const std::size_t capacity_;
  // Guards the fields below it. Two conditions share it, so that a put wakes
  // only takers and a take wakes only putters.
  threading::Lock lock_;
  threading::Condition room_{lock_};
  threading::Condition filled_{lock_};
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace threadsum
