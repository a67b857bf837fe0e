// SPDX-License-Identifier: MIT
//
// settrace(): the calls of every thread that is started afterwards, as a tree.
#include <cstddef>
#include <iostream>
#include <string>

#include <threading/threading.hpp>

namespace tea {

void boil(int minutes) {
  THREADING_TRACE_SCOPE();
  if (minutes > 0) boil(minutes - 1);
}

void make() {
  THREADING_TRACE_SCOPE();
  boil(2);
}

}  // namespace tea

namespace {

void print(const threading::TraceEvent& event) {
  static thread_local int depth = 0;
  if (event.kind == threading::TraceEvent::return_) {
    --depth;
  } else if (event.kind == threading::TraceEvent::call) {
    std::cout << std::string(static_cast<std::size_t>(2 * depth), ' ') << event.name() << '\n';
    ++depth;
  }
}

}  // namespace

int main() {
  threading::settrace(print);
  threading::spawn(tea::make).join();

  threading::settrace({});
  threading::spawn(tea::make).join();  // prints nothing
}
