// SPDX-License-Identifier: MIT
// expect: (use of deleted function|call to (implicitly-)?deleted (copy )?constructor)
#include <threading/condition.hpp>

threading::Condition original;

#if defined(BAD)
threading::Condition copy(original);
#else
threading::Condition& copy = original;
#endif
