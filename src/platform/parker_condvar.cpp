// SPDX-License-Identifier: MIT
//
// Word     woken_, guarded by mutex_.
// States   false: not woken. true: woken, final until prepare().
// Moves    owner: any → false in prepare(). waker: false → true in unpark(), once.
// I1       The waker signals while it holds the mutex. The owner needs the mutex to return, so it cannot leave and
//          destroy the condition variable before the signal is done; POSIX then lets it destroy the mutex, too.
// Orders   The mutex orders everything.
#include "platform/parker_condvar.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <limits>

#include "base/check.hpp"

namespace threading::inline v1::platform {
namespace {

class Locked {
 public:
  explicit Locked(pthread_mutex_t& mutex) noexcept : mutex_(mutex) {
    THREADING_INVARIANT(pthread_mutex_lock(&mutex_) == 0, "a parker's mutex can be locked");
  }
  ~Locked() { pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t& mutex_;
};

// pthread_cond_wait() is a cancellation point; the library's waits are not, whichever parker they use.
class NotCancelled {
 public:
  NotCancelled() noexcept { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  NotCancelled(const NotCancelled&) = delete;
  NotCancelled& operator=(const NotCancelled&) = delete;
  ~NotCancelled() { pthread_setcancelstate(before_, nullptr); }

 private:
  int before_ = 0;
};

timespec to_timespec(std::int64_t nanoseconds) noexcept {
  constexpr std::int64_t kSecond = 1'000'000'000;
  constexpr std::int64_t kLast = std::numeric_limits<std::time_t>::max();  // in 2038 where it has 32 bits
  timespec result{};
  result.tv_sec = static_cast<std::time_t>(std::min(nanoseconds / kSecond, kLast));
  result.tv_nsec = static_cast<long>(nanoseconds % kSecond);
  return result;
}

}  // namespace

CondvarParker::CondvarParker() noexcept {
  THREADING_INVARIANT(pthread_mutex_init(&mutex_, nullptr) == 0, "a mutex can be made");
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  THREADING_INVARIANT(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0,
                      "condition variables can use the monotonic clock");
  THREADING_INVARIANT(pthread_cond_init(&condition_, &attributes) == 0, "a condition variable can be made");
  pthread_condattr_destroy(&attributes);
}

CondvarParker::~CondvarParker() {
  pthread_cond_destroy(&condition_);
  pthread_mutex_destroy(&mutex_);
}

void CondvarParker::prepare() noexcept {
  const Locked locked(mutex_);
  woken_ = false;
}

bool CondvarParker::is_woken() noexcept {
  const Locked locked(mutex_);
  return woken_;
}

ParkerOutcome CondvarParker::park(Deadline deadline, bool /*interruptible*/) noexcept {
  const NotCancelled not_cancelled;
  const Locked locked(mutex_);
  while (!woken_) {
    if (deadline.is_never()) {
      THREADING_INVARIANT(pthread_cond_wait(&condition_, &mutex_) == 0, "a condition variable can be waited for");
      continue;
    }
    if (deadline.expired()) return ParkerOutcome::timed_out;
    const timespec until = to_timespec(deadline.nanoseconds());
    const int error = pthread_cond_timedwait(&condition_, &mutex_, &until);
    THREADING_INVARIANT(error == 0 || error == ETIMEDOUT, "a condition variable can be waited for");
  }
  return ParkerOutcome::woken;
}

void CondvarParker::unpark() noexcept {
  const Locked locked(mutex_);
  woken_ = true;
  pthread_cond_signal(&condition_);
}

}  // namespace threading::inline v1::platform
