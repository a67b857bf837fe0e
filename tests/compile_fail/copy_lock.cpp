// SPDX-License-Identifier: MIT
// expect: (use of deleted function|call to (implicitly-)?deleted (copy )?constructor)
#include <threading/lock.hpp>

threading::Lock original;

#if defined(BAD)
threading::Lock copy(original);
#else
threading::Lock& copy = original;
#endif
