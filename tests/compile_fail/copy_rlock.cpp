// SPDX-License-Identifier: MIT
// expect: (use of deleted function|call to (implicitly-)?deleted (copy )?constructor)
#include <threading/rlock.hpp>

threading::RLock original;

#if defined(BAD)
threading::RLock copy(original);
#else
threading::RLock& copy = original;
#endif
