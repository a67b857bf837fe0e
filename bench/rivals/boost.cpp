// SPDX-License-Identifier: MIT
#define BOOST_THREAD_VERSION 4
#include <boost/chrono.hpp>
#include <boost/interprocess/sync/interprocess_semaphore.hpp>
#include <boost/thread.hpp>
#include <boost/thread/barrier.hpp>
#include <boost/thread/condition_variable.hpp>
#include <boost/thread/recursive_mutex.hpp>
#include <boost/thread/tss.hpp>

#include "../rivals.hpp"

namespace bench {
namespace {

struct Boost {
  static constexpr const char* kName = "boost";

  using Lock = boost::mutex;
  struct TimedLock : boost::timed_mutex {
    bool lock_within(double seconds) { return try_lock_for(boost::chrono::duration<double>(seconds)); }
  };
  using RLock = boost::recursive_mutex;
  class Condition {
   public:
    explicit Condition(Lock& lock) : lock_(lock) {}
    void wait() {
      boost::unique_lock<Lock> held(lock_, boost::adopt_lock);
      condition_.wait(held);
      held.release();
    }
    void notify_one() { condition_.notify_one(); }
    void notify_all() { condition_.notify_all(); }

   private:
    boost::condition_variable condition_;
    Lock& lock_;
  };
  using SizedCondition = boost::condition_variable;
  using Event = ComposedEvent<Lock, Condition>;
  class Semaphore {
   public:
    explicit Semaphore(unsigned count) : semaphore_(count) {}
    void acquire() { semaphore_.wait(); }
    void release() { semaphore_.post(); }

   private:
    boost::interprocess::interprocess_semaphore semaphore_;
  };
  using Barrier = boost::barrier;
  using Thread = boost::thread;
  class Local {
   public:
    long& value() {
      if (long* value = value_.get()) return *value;
      value_.reset(new long{});
      return *value_;
    }

   private:
    boost::thread_specific_ptr<long> value_;
  };
};

}  // namespace

void add_boost() { add_rival<Boost>(); }

}  // namespace bench
