// SPDX-License-Identifier: MIT
#include <threading/barrier.hpp>
#include <threading/condition.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/rlock.hpp>
#include <threading/semaphore.hpp>

#if __has_include(<threading/thread.hpp>)
#include <threading/thread.hpp>
#define BENCH_HAS_THREAD
#endif
#if __has_include(<threading/local.hpp>)
#include <threading/local.hpp>
#define BENCH_HAS_LOCAL
#endif
#if __has_include(<threading/timer.hpp>)
#include <threading/timer.hpp>
#define BENCH_HAS_TIMER
#endif

#include <chrono>
#include <deque>
#include <functional>

#include "../rivals.hpp"

namespace bench {
namespace {

struct Ours {
  static constexpr const char* kName = "threading++";

  using Lock = threading::Lock;
  struct TimedLock : threading::Lock {
    bool lock_within(double seconds) { return acquire(seconds); }
  };
  using RLock = threading::RLock;
  struct Condition : threading::Condition {
    using threading::Condition::Condition;
    void notify_one() { notify(); }
  };
  using SizedCondition = threading::Condition;
  using Event = threading::Event;
  using Semaphore = threading::Semaphore;
  using Barrier = threading::Barrier;

#if defined(BENCH_HAS_THREAD)
  class Thread {
   public:
    template <class F>
    explicit Thread(F f) : thread_(std::move(f)) {
      thread_.start();
    }
    void join() { thread_.join(); }

   private:
    threading::Thread thread_;
  };
#endif
#if defined(BENCH_HAS_LOCAL)
  struct Local {
    threading::local<long> local;
    long& value() { return local.get(); }
  };
#endif
#if defined(BENCH_HAS_TIMER)
  class Timers {
   public:
    explicit Timers(std::size_t) {}
    void start(std::size_t i, std::int64_t delay, std::function<void(std::size_t)> fired) {
      timers_.emplace_back(std::chrono::nanoseconds(delay), std::move(fired), i);
      timers_.back().start();
    }
    void cancel(std::size_t i) { timers_[i].cancel(); }

   private:
    std::deque<threading::Timer> timers_;
  };
#endif
};

}  // namespace

void add_ours() { add_rival<Ours>(); }

}  // namespace bench
