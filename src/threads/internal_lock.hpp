// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <threading/detail/backend.hpp>
#include <threading/lock.hpp>

namespace threading::inline v1::threads {

// A Lock whose waits are no events. A profile function may run when a wait has ended, which for a lock that was handed
// over means: while it is held. A function that then asks who it is would wait for its own thread.
class THREADING_CAPABILITY("Lock") InternalLock : public Lock {
 public:
  bool acquire() THREADING_ACQUIRE() THREADING_NO_THREAD_SAFETY_ANALYSIS {
    if (!try_lock()) [[unlikely]]
      wait();
    return true;
  }
  void lock() THREADING_ACQUIRE() { acquire(); }

 private:
  THREADING_COLD void wait() THREADING_NO_THREAD_SAFETY_ANALYSIS {
    detail::PerThread& self = detail::backend::per_thread();
    const bool in_trace = std::exchange(self.in_trace, true);
    Lock::acquire();
    self.in_trace = in_trace;
  }
};

}  // namespace threading::inline v1::threads
