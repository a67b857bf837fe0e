// SPDX-License-Identifier: MIT
// expect: no matching (member )?function
// An int is neither a timeout nor a blocking flag.
#include <threading/semaphore.hpp>

bool take(threading::Semaphore& object) {
#if defined(BAD)
  return object.acquire(1);
#else
  return object.acquire(1.0);
#endif
}
