// SPDX-License-Identifier: MIT
// expect: must be callable with the arguments given
#include <threading/thread.hpp>

void crunch(int number);

void start() {
#if defined(BAD)
  threading::Thread worker(crunch);
#else
  threading::Thread worker(crunch, 42);
#endif
}
