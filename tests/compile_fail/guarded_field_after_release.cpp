// SPDX-License-Identifier: MIT
// expect: requires holding
// compiler: clang++
// flags: -Wthread-safety -Werror
#include <threading/rlock.hpp>
#include <threading/with.hpp>

threading::RLock lock;
int value THREADING_GUARDED_BY(lock) = 0;

void use() {
  threading::With hold(lock);
  ++value;
  hold.release();
#if defined(BAD)
  ++value;
#endif
}
