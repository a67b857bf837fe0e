// SPDX-License-Identifier: MIT
// expect: (use of deleted function|call to (implicitly-)?deleted (copy )?constructor)
#include <threading/thread.hpp>

void twice(threading::Joining& joining) {
#if defined(BAD)
  threading::Joining copy(joining);
#else
  threading::Joining& copy = joining;
  (void)copy;
#endif
}
