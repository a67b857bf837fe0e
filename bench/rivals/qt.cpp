// SPDX-License-Identifier: MIT
#include <QMutex>
#include <QSemaphore>
#include <QThread>
#include <QThreadStorage>
#include <QWaitCondition>
#include <functional>
#include <memory>

#include "../rivals.hpp"

namespace bench {
namespace {

struct Qt {
  static constexpr const char* kName = "qt";

  class Lock {
   public:
    void lock() { mutex_.lock(); }
    void unlock() { mutex_.unlock(); }
    bool try_lock() { return mutex_.tryLock(); }
    QMutex mutex_;
  };
  struct TimedLock : Lock {
    bool lock_within(double seconds) { return mutex_.tryLock(static_cast<int>(seconds * 1000)); }
  };
  using RLock = QRecursiveMutex;
  class Condition {
   public:
    explicit Condition(Lock& lock) : lock_(lock) {}
    void wait() { condition_.wait(&lock_.mutex_); }
    void notify_one() { condition_.wakeOne(); }
    void notify_all() { condition_.wakeAll(); }

   private:
    QWaitCondition condition_;
    Lock& lock_;
  };
  using SizedCondition = QWaitCondition;
  using Event = ComposedEvent<Lock, Condition>;
  class Semaphore {
   public:
    explicit Semaphore(int count) : semaphore_(count) {}
    void acquire() { semaphore_.acquire(); }
    void release() { semaphore_.release(); }

   private:
    QSemaphore semaphore_;
  };
  class Thread {
   public:
    explicit Thread(std::function<void()> f) : thread_(QThread::create(std::move(f))) { thread_->start(); }
    void join() { thread_->wait(); }

   private:
    std::unique_ptr<QThread> thread_;
  };
  class Local {
   public:
    long& value() { return storage_.localData(); }

   private:
    QThreadStorage<long> storage_;
  };
};

}  // namespace

void add_qt() { add_rival<Qt>(); }

}  // namespace bench
