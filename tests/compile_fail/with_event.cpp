// SPDX-License-Identifier: MIT
// expect: no (matching )?member (function )?named .acquire.
// An Event cannot be held.
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/with.hpp>

threading::Event event;
threading::Lock lock;

void hold() {
#if defined(BAD)
  threading::With hold(event);
#else
  threading::With hold(lock);
#endif
}
