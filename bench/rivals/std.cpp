// SPDX-License-Identifier: MIT
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <mutex>
#include <semaphore>
#include <thread>

#include "../rivals.hpp"

namespace bench {
namespace {

struct Std {
  static constexpr const char* kName = "std";

  using Lock = std::mutex;
  struct TimedLock : std::timed_mutex {
    bool lock_within(double seconds) { return try_lock_for(std::chrono::duration<double>(seconds)); }
  };
  using RLock = std::recursive_mutex;
  class Condition {
   public:
    explicit Condition(Lock& lock) : lock_(lock) {}
    void wait() {
      std::unique_lock<Lock> held(lock_, std::adopt_lock);
      condition_.wait(held);
      held.release();
    }
    void notify_one() { condition_.notify_one(); }
    void notify_all() { condition_.notify_all(); }

   private:
    std::condition_variable condition_;
    Lock& lock_;
  };
  using SizedCondition = std::condition_variable;
  class Event {
   public:
    void set() {
      flag_.store(1);
      flag_.notify_all();
    }
    void clear() { flag_.store(0); }
    bool is_set() { return flag_.load() != 0; }
    void wait() { flag_.wait(0); }

   private:
    std::atomic<int> flag_{0};
  };
  using Semaphore = std::counting_semaphore<>;
  class Barrier {
   public:
    explicit Barrier(unsigned n) : barrier_(static_cast<std::ptrdiff_t>(n)) {}
    void wait() { barrier_.arrive_and_wait(); }

   private:
    std::barrier<> barrier_;
  };
  using Thread = std::thread;
};

}  // namespace

void add_std() { add_rival<Std>(); }

}  // namespace bench
