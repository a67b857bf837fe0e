// SPDX-License-Identifier: MIT
//
// The queue that C++ and Python share: queue.Queue over one core Lock and three core Conditions, in a block that both
// own. No call here takes the interpreter's lock (the GIL), and none is made with it.
//
// Order of locks   the queue's own lock is the innermost: nothing is allocated, converted, destroyed or called while it
//                  is held. Python code may hold it as `mutex`, as with the stdlib's queues.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <threading/condition.hpp>
#include <threading/errors.hpp>
#include <threading/lock.hpp>
#include <threading/python_item.hpp>
#include <threading/timeout.hpp>

namespace threading::inline v1::python {

// The queue was shut down: Python's queue.ShutDown.
class ShutDown : public RuntimeError {
 public:
  ShutDown() : RuntimeError("the queue is shut down") {}
};

namespace detail {
struct Node {
  Item item;
  Node* next = nullptr;
};

inline void destroy_all(Node* node) noexcept {
  while (node != nullptr) delete std::exchange(node, node->next);
}

// The state of a queue and its steps, each of which requires `lock`. The package `threadingpp` waits by them in its own
// way. Invariant: `count` nodes lead from `first` to `last`; maxsize 0 is no bound.
struct QueueParts {
  Lock lock{};
  Condition not_empty{lock};
  Condition not_full{lock};
  Condition all_tasks_done{lock};
  Node* first = nullptr;
  Node* last = nullptr;
  std::size_t count = 0;
  std::size_t maxsize = 0;
  std::size_t unfinished = 0;
  bool is_shutdown = false;

  bool has_slot() const noexcept { return maxsize == 0 || count < maxsize; }
  void push(Node* node) noexcept {
    (last != nullptr ? last->next : first) = node;
    last = node;
    ++count;
    ++unfinished;
    not_empty.notify();
  }
  // Requires: count != 0.
  Node* pop() noexcept {
    Node* const node = first;
    first = node->next;
    if (first == nullptr) last = nullptr;
    node->next = nullptr;
    --count;
    not_full.notify();
    return node;
  }
  // Returns: false, and nothing has changed, when there is no unfinished task.
  bool finish_task() noexcept {
    if (unfinished == 0) return false;
    if (--unfinished == 0) all_tasks_done.notify_all();
    return true;
  }
  // Returns: the items that were taken out, for the caller to destroy without the lock.
  Node* shut_down(bool immediate) noexcept {
    is_shutdown = true;
    Node* const dropped = immediate ? std::exchange(first, nullptr) : nullptr;
    if (immediate) {
      last = nullptr;
      unfinished = unfinished > count ? unfinished - count : 0;
      count = 0;
      if (unfinished == 0) all_tasks_done.notify_all();
    }
    not_empty.notify_all();
    not_full.notify_all();
    return dropped;
  }
};
}  // namespace detail

// First in, first out. Many threads of both languages may put and get at the same time.
//
// Not copyable, not movable; held by a std::shared_ptr. put() allocates, get() does not.
// Visibility: what a thread did before put() is seen by the thread that gets the item.
// Fork: as the mutex of the stdlib's queue, the queue's lock stays held in the child when another thread was inside a
// call at that moment; every call there then waits for ever. A child that has to use the queue, and does not exec,
// needs a parent in which nobody uses it during fork().
// Fairness: waiting threads of both languages are served first come first served, as in a Condition.
class Queue {
 public:
  // 0: without a bound.
  explicit Queue(std::size_t maxsize = 0) noexcept { parts_.maxsize = maxsize; }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  // Drops what is in it; needs no GIL.
  ~Queue() { detail::destroy_all(parts_.first); }

  // Puts the item in, waiting for a free slot.
  // Returns: whether there was one before the timeout; `item` is untouched otherwise. Blocks.
  // Throws: ShutDown; std::bad_alloc. `item` is untouched then too.
  bool put(Item&& item, Timeout timeout = forever) {
    auto node = std::make_unique<detail::Node>(detail::Node{Item(), nullptr});
    const std::lock_guard<Lock> guard(parts_.lock);
    parts_.not_full.wait_for([this] { return parts_.is_shutdown || parts_.has_slot(); }, timeout);
    if (parts_.is_shutdown) throw ShutDown();
    if (!parts_.has_slot()) return false;
    node->item = std::move(item);
    parts_.push(node.release());
    return true;
  }
  bool try_put(Item&& item) { return put(std::move(item), std::chrono::seconds(0)); }

  // Takes the next item out, waiting for one.
  // Returns: nothing if there was none before the timeout. Blocks.
  // Throws: ShutDown when the queue is empty and shut down.
  std::optional<Item> get(Timeout timeout = forever) {
    std::unique_ptr<detail::Node> node;
    {
      const std::lock_guard<Lock> guard(parts_.lock);
      parts_.not_empty.wait_for([this] { return parts_.is_shutdown || parts_.count != 0; }, timeout);
      if (parts_.count != 0) {
        node.reset(parts_.pop());
      } else if (parts_.is_shutdown) {
        throw ShutDown();
      }
    }
    if (node == nullptr) return std::nullopt;
    return std::move(node->item);
  }
  std::optional<Item> try_get() { return get(std::chrono::seconds(0)); }

  // An item that was taken out has been worked on. Throws: ValueError "task_done() called too many times".
  void task_done() {
    const std::lock_guard<Lock> guard(parts_.lock);
    if (!parts_.finish_task()) throw ValueError("task_done() called too many times");
  }
  // Waits until all items have been worked on. Returns: whether they were before the timeout. Blocks.
  bool join(Timeout timeout = forever) {
    const std::lock_guard<Lock> guard(parts_.lock);
    return parts_.all_tasks_done.wait_for([this] { return parts_.unfinished == 0; }, timeout);
  }

  // At this moment. Blocks for as long as another call.
  std::size_t size() const {
    const std::lock_guard<Lock> guard(parts_.lock);
    return parts_.count;
  }
  bool empty() const { return size() == 0; }
  bool full() const {
    const std::lock_guard<Lock> guard(parts_.lock);
    return !parts_.has_slot();
  }

  // No more items; get() goes on until the queue is empty, or with `immediate` drops what is left. Everybody who waits
  // is woken. Python's get() and put() raise threadingpp.queue.ShutDown then, which is queue.ShutDown where there is
  // one.
  void shutdown(bool immediate = false) {
    detail::Node* dropped = nullptr;
    {
      const std::lock_guard<Lock> guard(parts_.lock);
      dropped = parts_.shut_down(immediate);
    }
    detail::destroy_all(dropped);
  }

  // For the package.
  detail::QueueParts& parts() noexcept { return parts_; }

 private:
  mutable detail::QueueParts parts_{};
};

}  // namespace threading::inline v1::python
