// SPDX-License-Identifier: MIT
//
// design:bare-timers: a timer that is no thread. No name, no place in enumerate(), nobody can join it, and a cancel
// does not say whether it came in time: a node of one wheel, one lock, one thread that looks every millisecond. What is
// left of the time of a Timer if everything that makes it a Thread is taken away.
#include <array>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include <threading/lock.hpp>

#include "../rivals.hpp"

namespace bench {
namespace {

struct BareTimers {
  static constexpr const char* kName = "design:bare-timers";

  class Timers {
   public:
    explicit Timers(std::size_t) : looked_until_(tick(now())), wheel_([this] { run(); }) {}
    ~Timers() {
      {
        const std::scoped_lock guard(lock_);
        stops_ = true;
      }
      wheel_.join();
    }
    void start(std::size_t i, std::int64_t delay, std::function<void(std::size_t)> fired) {
      Node& node = nodes_.emplace_back();
      node.due = now() + delay;
      node.number = i;
      node.fired = std::move(fired);
      const std::scoped_lock guard(lock_);
      link(node, slots_[slot(tick(node.due))]);
    }
    void cancel(std::size_t i) {
      const std::scoped_lock guard(lock_);
      if (nodes_[i].link != nullptr) unlink(nodes_[i]);
    }

   private:
    static constexpr std::int64_t kTick = 1'000'000;  // nanoseconds
    static constexpr std::size_t kSlots = 4096;

    struct Node {
      Node* next = nullptr;
      Node** link = nullptr;  // what points to it; null: in no list
      std::int64_t due = 0;
      std::size_t number = 0;
      std::function<void(std::size_t)> fired;
    };

    static std::int64_t tick(std::int64_t at) { return at / kTick; }
    static std::size_t slot(std::int64_t tick) { return static_cast<std::size_t>(tick) % kSlots; }
    static void link(Node& node, Node*& head) {
      node.next = head;
      node.link = &head;
      if (head != nullptr) head->link = &node.next;
      head = &node;
    }
    static void unlink(Node& node) {
      *node.link = node.next;
      if (node.next != nullptr) node.next->link = node.link;
      node.link = nullptr;
    }
    // Moves what is due to a list of its own, so that it can still be cancelled while others are called.
    void collect(std::int64_t at, Node*& due) {
      for (; looked_until_ <= tick(at); ++looked_until_) {
        for (Node* node = slots_[slot(looked_until_)]; node != nullptr;) {
          Node* const next = node->next;
          if (node->due <= at) {
            unlink(*node);
            link(*node, due);
          }
          node = next;
        }
      }
      --looked_until_;  // the rest of this tick
    }
    void run() {
      Node* due = nullptr;
      lock_.lock();
      while (!stops_) {
        collect(now(), due);
        while (due != nullptr) {
          Node& node = *due;
          unlink(node);
          lock_.unlock();
          node.fired(node.number);
          lock_.lock();
        }
        lock_.unlock();
        std::this_thread::sleep_for(std::chrono::nanoseconds(kTick));
        lock_.lock();
      }
      lock_.unlock();
    }

    threading::Lock lock_;
    std::deque<Node> nodes_;
    std::array<Node*, kSlots> slots_{};
    std::int64_t looked_until_;
    bool stops_ = false;
    std::thread wheel_;
  };
};

}  // namespace

void add_bare_timers() { add_rows<BareTimers>(); }

}  // namespace bench
