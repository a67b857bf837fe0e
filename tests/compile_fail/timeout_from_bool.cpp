// SPDX-License-Identifier: MIT
// expect: (could not convert|no viable conversion).*bool
#include <threading/timeout.hpp>

threading::Timeout timeout() {
#if defined(BAD)
  return true;
#else
  return threading::forever;
#endif
}
