// SPDX-License-Identifier: MIT
// expect: no matching (member )?function
// An int is neither a timeout nor a blocking flag.
#include <threading/rlock.hpp>

bool take(threading::RLock& object) {
#if defined(BAD)
  return object.acquire(1);
#else
  return object.acquire(1.0);
#endif
}
