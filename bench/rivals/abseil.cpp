// SPDX-License-Identifier: MIT
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include "../rivals.hpp"

namespace bench {
namespace {

struct Abseil {
  static constexpr const char* kName = "absl";

  class Lock {
   public:
    void lock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Lock(); }
    void unlock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Unlock(); }
    bool try_lock() ABSL_NO_THREAD_SAFETY_ANALYSIS { return mutex_.TryLock(); }
    absl::Mutex mutex_;
  };
  struct TimedLock : Lock {
    bool lock_within(double seconds) ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return mutex_.LockWhenWithTimeout(absl::Condition::kTrue, absl::Seconds(seconds));
    }
  };
  class Condition {
   public:
    explicit Condition(Lock& lock) : lock_(lock) {}
    void wait() ABSL_NO_THREAD_SAFETY_ANALYSIS { condition_.Wait(&lock_.mutex_); }
    void notify_one() { condition_.Signal(); }
    void notify_all() { condition_.SignalAll(); }

   private:
    absl::CondVar condition_;
    Lock& lock_;
  };
  using SizedCondition = absl::CondVar;
  using Event = ComposedEvent<Lock, Condition>;
  using Semaphore = ComposedSemaphore<Lock, Condition>;
};

}  // namespace

void add_abseil() {
  // Debian's build looks for deadlocks in every acquisition unless told not to; a release build does not.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  add_rival<Abseil>();
}

}  // namespace bench
