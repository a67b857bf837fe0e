// SPDX-License-Identifier: MIT
// expect: releasing .* 'lock' that was not held
// compiler: clang++
// flags: -Wthread-safety -Werror
#include <threading/lock.hpp>

threading::Lock lock;

void use() {
#if !defined(BAD)
  lock.acquire();
#endif
  lock.release();
}
