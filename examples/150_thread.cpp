// SPDX-License-Identifier: MIT
//
// A thread by target: name, arguments, life and death.
#include <functional>
#include <iostream>
#include <string>

#include <threading/threading.hpp>

namespace {

void crunch(int from, int to, long& sum) {
  for (int i = from; i <= to; ++i) sum += i;
  std::cout << threading::current_thread().name() << " is done\n";
}

}  // namespace

int main() {
  std::cout << std::boolalpha;
  long sum = 0;
  threading::Thread worker({.name = "crunch"}, crunch, 1, 100, std::ref(sum));
  std::cout << "before start: alive " << worker.is_alive() << ", has ident " << worker.ident().has_value() << '\n';
  worker.start();
  worker.join();
  std::cout << "after join: alive " << worker.is_alive() << ", has ident " << worker.ident().has_value() << '\n';
  std::cout << "sum " << sum << '\n';
  worker.join();  // a thread can be joined many times

  try {
    worker.start();
  } catch (const threading::RuntimeError& error) {
    std::cout << "RuntimeError: " << error.what() << '\n';
  }
  try {
    threading::current_thread().join();
  } catch (const threading::RuntimeError& error) {
    std::cout << "RuntimeError: " << error.what() << '\n';
  }
}
