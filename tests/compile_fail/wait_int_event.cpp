// SPDX-License-Identifier: MIT
// expect: (no matching (member )?function|could not convert|cannot convert|no viable conversion)
#include <chrono>

#include <threading/event.hpp>

bool wait(threading::Event& event) {
#if defined(BAD)
  return event.wait(1);
#else
  return event.wait(std::chrono::seconds(1));
#endif
}
