// SPDX-License-Identifier: MIT
// expect: (use of deleted function|call to (implicitly-)?deleted (copy )?constructor)
#include <threading/barrier.hpp>

threading::Barrier original(2);

#if defined(BAD)
threading::Barrier copy(original);
#else
threading::Barrier& copy = original;
#endif
