// SPDX-License-Identifier: MIT
// expect: (use of deleted function|call to deleted constructor)
#include <utility>

#include <threading/lock.hpp>

threading::Lock original;

#if defined(BAD)
threading::Lock moved(std::move(original));
#else
threading::Lock&& moved = std::move(original);
#endif
