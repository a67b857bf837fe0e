// SPDX-License-Identifier: MIT
// expect: (use of deleted function|call to (implicitly-)?deleted (copy )?constructor)
#include <threading/local.hpp>

threading::local<int> original;

#if defined(BAD)
threading::local<int> copy(original);
#else
threading::local<int>& copy = original;
#endif
