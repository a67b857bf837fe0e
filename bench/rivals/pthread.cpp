// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <semaphore.h>

#include <ctime>
#include <functional>

#include "../rivals.hpp"

namespace bench {
namespace {

struct Pthread {
  static constexpr const char* kName = "pthread";

  class Lock {
   public:
    void lock() { pthread_mutex_lock(&mutex_); }
    void unlock() { pthread_mutex_unlock(&mutex_); }
    bool try_lock() { return pthread_mutex_trylock(&mutex_) == 0; }
    pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  };
  struct TimedLock : Lock {
    bool lock_within(double seconds) {
      timespec until{};
      clock_gettime(CLOCK_MONOTONIC, &until);
      until.tv_sec += static_cast<time_t>(seconds);
      return pthread_mutex_clocklock(&mutex_, CLOCK_MONOTONIC, &until) == 0;
    }
  };
  class RLock {
   public:
    void lock() { pthread_mutex_lock(&mutex_); }
    void unlock() { pthread_mutex_unlock(&mutex_); }

   private:
    pthread_mutex_t mutex_ = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
  };
  class Condition {
   public:
    explicit Condition(Lock& lock) : lock_(lock) {}
    void wait() { pthread_cond_wait(&condition_, &lock_.mutex_); }
    void notify_one() { pthread_cond_signal(&condition_); }
    void notify_all() { pthread_cond_broadcast(&condition_); }

   private:
    pthread_cond_t condition_ = PTHREAD_COND_INITIALIZER;
    Lock& lock_;
  };
  using SizedCondition = pthread_cond_t;
  class Semaphore {
   public:
    explicit Semaphore(unsigned count) { sem_init(&semaphore_, 0, count); }
    ~Semaphore() { sem_destroy(&semaphore_); }
    void acquire() {
      while (sem_wait(&semaphore_) != 0) {
      }
    }
    void release() { sem_post(&semaphore_); }

   private:
    sem_t semaphore_;
  };
  class Barrier {
   public:
    explicit Barrier(unsigned n) { pthread_barrier_init(&barrier_, nullptr, n); }
    ~Barrier() { pthread_barrier_destroy(&barrier_); }
    void wait() { pthread_barrier_wait(&barrier_); }

   private:
    pthread_barrier_t barrier_;
  };
  class Thread {
   public:
    explicit Thread(std::function<void()> f) : body_(std::move(f)) {
      pthread_create(&thread_, nullptr, &Thread::run, this);
    }
    void join() { pthread_join(thread_, nullptr); }

   private:
    static void* run(void* self) {
      static_cast<Thread*>(self)->body_();
      return nullptr;
    }
    std::function<void()> body_;
    pthread_t thread_;
  };
  class Local {
   public:
    Local() {
      pthread_key_create(&key_, [](void* value) { delete static_cast<long*>(value); });
    }
    ~Local() { pthread_key_delete(key_); }
    long& value() {
      if (void* value = pthread_getspecific(key_)) return *static_cast<long*>(value);
      auto* made = new long{};
      pthread_setspecific(key_, made);
      return *made;
    }

   private:
    pthread_key_t key_;
  };
};

}  // namespace

void add_pthread() { add_rival<Pthread>(); }

}  // namespace bench
