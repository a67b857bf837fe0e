// SPDX-License-Identifier: MIT
// expect: must be callable with the arguments given
// Arguments are copied into the thread; a reference to one's own variable is asked for by std::ref.
#include <functional>

#include <threading/thread.hpp>

void count(int& counter);

void start(int& counter) {
#if defined(BAD)
  threading::Thread worker(count, counter);
#else
  threading::Thread worker(count, std::ref(counter));
#endif
}
