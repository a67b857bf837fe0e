// SPDX-License-Identifier: MIT
#pragma once

#include <threading/detail/backend.hpp>

namespace threading::inline v1::detail {

// The calling thread's token if it has one already, else 0: enough where the owner is only shown, never compared.
THREADING_NO_NULL_CHECK inline ThreadToken thread_token_hint() noexcept { return backend::per_thread().token; }

// The calling thread's token, assigned now if need be.
THREADING_NO_NULL_CHECK inline ThreadToken thread_token() noexcept {
  PerThread& self = backend::per_thread();
  return self.token != 0 ? self.token : assign_thread_token(self);
}

}  // namespace threading::inline v1::detail
