// SPDX-License-Identifier: MIT
// expect: (use of deleted function|call to (implicitly-)?deleted (copy )?constructor)
#include <threading/semaphore.hpp>

threading::BoundedSemaphore original;

#if defined(BAD)
threading::BoundedSemaphore copy(original);
#else
threading::BoundedSemaphore& copy = original;
#endif
