// SPDX-License-Identifier: MIT
#include <nsync.h>

#include "../rivals.hpp"

namespace bench {
namespace {

struct Nsync {
  static constexpr const char* kName = "nsync";

  class Lock {
   public:
    Lock() { nsync::nsync_mu_init(&mutex_); }
    void lock() { nsync::nsync_mu_lock(&mutex_); }
    void unlock() { nsync::nsync_mu_unlock(&mutex_); }
    bool try_lock() { return nsync::nsync_mu_trylock(&mutex_) != 0; }
    nsync::nsync_mu mutex_;
  };
  class Condition {
   public:
    explicit Condition(Lock& lock) : lock_(lock) { nsync::nsync_cv_init(&condition_); }
    void wait() { nsync::nsync_cv_wait(&condition_, &lock_.mutex_); }
    void notify_one() { nsync::nsync_cv_signal(&condition_); }
    void notify_all() { nsync::nsync_cv_broadcast(&condition_); }

   private:
    nsync::nsync_cv condition_;
    Lock& lock_;
  };
  using SizedCondition = nsync::nsync_cv;
  using Event = ComposedEvent<Lock, Condition>;
  using Semaphore = ComposedSemaphore<Lock, Condition>;
};

}  // namespace

void add_nsync() { add_rival<Nsync>(); }

}  // namespace bench
