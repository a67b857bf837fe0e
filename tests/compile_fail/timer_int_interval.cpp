// SPDX-License-Identifier: MIT
// expect: no matching (constructor|function)
#include <threading/timer.hpp>

void hello();

void start() {
#if defined(BAD)
  threading::Timer timer(30, hello);
#else
  threading::Timer timer(30.0, hello);
#endif
}
