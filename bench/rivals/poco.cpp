// SPDX-License-Identifier: MIT
#include <Poco/Condition.h>
#include <Poco/Event.h>
#include <Poco/Mutex.h>
#include <Poco/Semaphore.h>
#include <Poco/Thread.h>
#include <Poco/ThreadLocal.h>
#include <Poco/Util/Timer.h>
#include <Poco/Util/TimerTask.h>

#include <chrono>
#include <functional>
#include <vector>

#include "../rivals.hpp"

namespace bench {
namespace {

struct PocoLibrary {
  static constexpr const char* kName = "poco";

  class Lock : public Poco::FastMutex {
   public:
    bool try_lock() { return tryLock(); }
  };
  struct TimedLock : Poco::Mutex {
    bool lock_within(double seconds) { return tryLock(static_cast<long>(seconds * 1000)); }
  };
  using RLock = Poco::Mutex;
  class Condition {
   public:
    explicit Condition(Lock& lock) : lock_(lock) {}
    void wait() { condition_.wait(static_cast<Poco::FastMutex&>(lock_)); }
    void notify_one() { condition_.signal(); }
    void notify_all() { condition_.broadcast(); }

   private:
    Poco::Condition condition_;
    Lock& lock_;
  };
  using SizedCondition = Poco::Condition;
  class Event {
   public:
    void set() { event_.set(); }
    void clear() { event_.reset(); }
    void wait() { event_.wait(); }

   private:
    Poco::Event event_{Poco::Event::EVENT_MANUALRESET};
  };
  class Semaphore {
   public:
    explicit Semaphore(int count) : semaphore_(count, 1 << 30) {}
    void acquire() { semaphore_.wait(); }
    void release() { semaphore_.set(); }

   private:
    Poco::Semaphore semaphore_;
  };
  class Thread {
   public:
    explicit Thread(std::function<void()> f) { thread_.startFunc(std::move(f)); }
    void join() { thread_.join(); }

   private:
    Poco::Thread thread_;
  };
  class Local {
   public:
    long& value() { return *local_; }

   private:
    Poco::ThreadLocal<long> local_;
  };
  class Timers {
   public:
    explicit Timers(std::size_t count) : tasks_(count) {}
    ~Timers() { timer_.cancel(true); }
    void start(std::size_t i, std::int64_t delay, std::function<void(std::size_t)> fired) {
      tasks_[i] = new Task(i, std::move(fired));
      Poco::Clock due;
      due += delay / 1000;
      timer_.schedule(tasks_[i], due);
    }
    void cancel(std::size_t i) { tasks_[i]->cancel(); }

   private:
    class Task : public Poco::Util::TimerTask {
     public:
      Task(std::size_t i, std::function<void(std::size_t)> fired) : i_(i), fired_(std::move(fired)) {}
      void run() override { fired_(i_); }

     private:
      std::size_t i_;
      std::function<void(std::size_t)> fired_;
    };
    Poco::Util::Timer timer_;
    std::vector<Poco::Util::TimerTask::Ptr> tasks_;
  };
};

}  // namespace

void add_poco() { add_rival<PocoLibrary>(); }

}  // namespace bench
