// SPDX-License-Identifier: MIT
// expect: no matching (member )?function
// The blocking flag is exactly bool: nothing that merely converts to it.
#include <threading/lock.hpp>

bool take(threading::Lock& lock, [[maybe_unused]] const char* text) {
#if defined(BAD)
  return lock.acquire(text);
#else
  return lock.acquire(text != nullptr);
#endif
}
