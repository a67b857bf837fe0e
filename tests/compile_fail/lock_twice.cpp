// SPDX-License-Identifier: MIT
// expect: acquiring .* 'lock' that is already held
// compiler: clang++
// flags: -Wthread-safety -Werror
#include <threading/lock.hpp>

threading::Lock lock;

void use() {
  lock.acquire();
#if defined(BAD)
  lock.acquire();
#endif
  lock.release();
}
