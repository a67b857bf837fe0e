// SPDX-License-Identifier: MIT
// expect: (use of deleted function|call to (implicitly-)?deleted (copy )?constructor)
#include <threading/semaphore.hpp>

threading::Semaphore original;

#if defined(BAD)
threading::Semaphore copy(original);
#else
threading::Semaphore& copy = original;
#endif
