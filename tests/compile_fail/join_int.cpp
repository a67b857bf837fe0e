// SPDX-License-Identifier: MIT
// expect: (no matching (member )?function|could not convert|cannot convert|no viable conversion)
#include <threading/thread.hpp>

bool wait(const threading::Thread& thread) {
#if defined(BAD)
  return thread.join(1);
#else
  return thread.join(1.0);
#endif
}
