// SPDX-License-Identifier: MIT
// expect: (use of deleted function|call to (implicitly-)?deleted (copy )?constructor)
#include <threading/event.hpp>

threading::Event original;

#if defined(BAD)
threading::Event copy(original);
#else
threading::Event& copy = original;
#endif
