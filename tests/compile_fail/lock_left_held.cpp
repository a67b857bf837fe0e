// SPDX-License-Identifier: MIT
// expect: still held at the end of function
// compiler: clang++
// flags: -Wthread-safety -Werror
#include <threading/lock.hpp>

threading::Lock lock;

void use() {
  lock.acquire();
#if !defined(BAD)
  lock.release();
#endif
}
