// SPDX-License-Identifier: MIT
// expect: (requires holding|is not held on every path)
// compiler: clang++
// flags: -Wthread-safety -Werror
#include <chrono>

#include <threading/lock.hpp>

threading::Lock lock;
int value THREADING_GUARDED_BY(lock) = 0;

void use() {
#if defined(BAD)
  (void)lock.acquire(std::chrono::seconds(1));
  ++value;
  lock.release();
#else
  if (lock.acquire(std::chrono::seconds(1))) {
    ++value;
    lock.release();
  }
#endif
}
