// SPDX-License-Identifier: MIT
// expect: (could not convert|no viable conversion).*int
#include <threading/timeout.hpp>

threading::Timeout two_seconds() {
#if defined(BAD)
  return 2;
#else
  return 2.0;
#endif
}
