// SPDX-License-Identifier: MIT
#pragma once

#include <pthread.h>

#include <threading/detail/deadline.hpp>

#include "platform/parker_outcome.hpp"

namespace threading::inline v1::platform {

// The parker for any POSIX system: one mutex, one condition variable, one flag. See parker.hpp for the contract.
// Differs in one point: a signal handler is never reported, since pthread_cond_wait() does not return for one.
class CondvarParker {
 public:
  CondvarParker() noexcept;
  ~CondvarParker();
  CondvarParker(const CondvarParker&) = delete;
  CondvarParker& operator=(const CondvarParker&) = delete;

  void prepare() noexcept;
  bool is_woken() noexcept;
  ParkerOutcome park(Deadline deadline, bool interruptible) noexcept;
  void unpark() noexcept;

 private:
  pthread_mutex_t mutex_;
  pthread_cond_t condition_;
  bool woken_ = false;  // guarded by mutex_
};

}  // namespace threading::inline v1::platform
