// SPDX-License-Identifier: MIT
// expect: no matching (member )?function
// An int is neither a timeout nor a blocking flag.
#include <threading/lock.hpp>

bool take(threading::Lock& object) {
#if defined(BAD)
  return object.acquire(1);
#else
  return object.acquire(1.0);
#endif
}
