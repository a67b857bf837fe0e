// SPDX-License-Identifier: MIT
#pragma once

#include <threading/detail/thread_token.hpp>

#include "base/check.hpp"
#include "base/hooks.hpp"

namespace threading::inline v1::detail {

// Misuse that a guard's destructor cannot throw: ends the process with a message that names the lock and the thread.
// A program without the threads room has only the token to name a thread by.
[[noreturn]] inline void die_of_misuse(const char* message, const WaitKind& kind, const void* lock) noexcept {
  char name[64] = {};
  base::call(base::hooks.name_of_caller, name, sizeof name);
  if (name[0] != '\0') base::die("%s: %s at %p, in the thread '%s'", message, kind.name, lock, name);
  base::die("%s: %s at %p, in the thread with token %u", message, kind.name, lock, thread_token_hint());
}

}  // namespace threading::inline v1::detail
