// SPDX-License-Identifier: MIT
// expect: (use of deleted function|call to deleted constructor)
#include <threading/lock.hpp>
#include <threading/with.hpp>

void twice(threading::Lock& lock) {
  threading::With hold(lock);
#if defined(BAD)
  threading::With copy(hold);
#endif
}
