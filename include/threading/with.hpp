// SPDX-License-Identifier: MIT
#pragma once

#include <threading/detail/annotations.hpp>
#include <threading/timeout.hpp>

namespace threading::inline v1 {

// Python's `with lock:` for Lock, RLock, Condition, Semaphore and BoundedSemaphore alike: acquires in the
// constructor, releases in the destructor.
//
//   With hold(lock);                         // blocks
//   if (With hold{lock, 50ms}) { … }         // holds it only if the acquisition succeeded
//   hold.release();                          // early; the destructor then does nothing
//
// Requires: the object outlives the guard. A release that fails in the destructor (somebody else released meanwhile)
// ends the process with a message; release() throws instead.
template <class L>
class THREADING_SCOPED_CAPABILITY With {
 public:
  explicit With(L& object) THREADING_ACQUIRE(object) : object_(&object) { object.acquire(); }
  With(L& object, Timeout timeout) THREADING_ACQUIRE(object) : object_(object.acquire(timeout) ? &object : nullptr) {}
  With(L& object, Timeout timeout, detail::backend::stop_token stop) THREADING_ACQUIRE(object)
      : object_(object.acquire(timeout, stop) ? &object : nullptr) {}
  With(const With&) = delete;
  With& operator=(const With&) = delete;
  ~With() THREADING_RELEASE() {
    if (object_ == nullptr) return;
    if constexpr (requires { object_->unlock(); }) {
      object_->unlock();
    } else {
      object_->release();
    }
  }

  // Returns: whether the guard holds its object.
  bool holds() const noexcept { return object_ != nullptr; }
  explicit operator bool() const noexcept { return holds(); }

  // Releases now. Throws: what the object's release() throws; the guard is then done with it all the same.
  void release() THREADING_RELEASE() {
    if (L* object = object_) {
      object_ = nullptr;
      object->release();
    }
  }

 private:
  L* object_;
};

}  // namespace threading::inline v1
