// SPDX-License-Identifier: MIT
#pragma once

#include <threading/detail/backend.hpp>

namespace threading::inline v1::detail {

// The calling thread's token if it has one already, else 0: enough to take a Lock, whose owner is only shown, and to
// ask whether this thread owns an RLock, which nobody owns under 0.
inline ThreadToken thread_token_hint() noexcept { return backend::own_token(); }

// The calling thread's token, assigned now if need be.
inline ThreadToken thread_token() noexcept {
  const ThreadToken token = backend::own_token();
  return token != 0 ? token : assign_thread_token(backend::per_thread());
}

}  // namespace threading::inline v1::detail
