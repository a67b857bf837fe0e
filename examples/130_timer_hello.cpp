// SPDX-License-Identifier: MIT
//
// hello, world, a little later.
#include <iostream>

#include <threading/threading.hpp>

namespace {

void hello() { std::cout << "hello, world\n"; }

}  // namespace

int main() {
  threading::Timer t(0.03, hello);
  t.start();  // after 30 milliseconds, "hello, world" will be printed
}
