// SPDX-License-Identifier: MIT
// expect: releasing .* 'lock' that was not held
// compiler: clang++
// flags: -Wthread-safety -Werror
#include <threading/condition.hpp>

threading::Lock lock;
threading::ConditionOver<threading::Lock> condition(lock);

void use() {
  lock.acquire();
  condition.wait();
  condition.notify();
  lock.release();
#if defined(BAD)
  lock.release();
#endif
}

// The condition's own operations, none of which the header may be told off for.
void use_condition() {
  condition.lock();
  condition.unlock();
  if (condition.try_lock()) condition.release();
  condition.acquire();
  condition.unlock();
}
