// SPDX-License-Identifier: MIT
//
// threadingpp_trace() in CMake: the compiler tells what is called and thrown; the functions know nothing of it.
#include <cstddef>
#include <iostream>
#include <stdexcept>
#include <string>

#include <threading/thread.hpp>
#include <threading/trace.hpp>

namespace shop {

volatile int stock = 1;  // keeps an optimising compiler from calling anything only once

[[gnu::noinline]] int price(const char* what) {
  if (*what == '?') throw std::invalid_argument(what);
  return stock;
}

[[gnu::noinline]] int total() { return price("tea") + price("milk"); }

[[gnu::noinline]] void order() {
  total();
  try {
    price("?");
  } catch (const std::invalid_argument&) {
    stock = 0;
  }
}

}  // namespace shop

namespace {

// Not traced itself, wherever it is called.
THREADING_UNTRACED void print(const threading::TraceEvent& event) {
  static thread_local int depth = 0;
  const std::string indent(static_cast<std::size_t>(2 * depth), ' ');
  switch (event.kind) {
    case threading::TraceEvent::call:
      std::cout << indent << event.name() << '\n';
      ++depth;
      break;
    case threading::TraceEvent::return_: --depth; break;
    case threading::TraceEvent::exception:
      std::cout << indent << "! " << event.exception_name() << " in " << event.name() << '\n';
      break;
    default: break;
  }
}

}  // namespace

int main() {
  threading::settrace(print);
  threading::Thread thread(shop::order);
  thread.start();
  thread.join();
}
