// SPDX-License-Identifier: MIT
//
// The process ends when only daemon threads are left: it waits for the others.
#include <chrono>
#include <iostream>

#include <threading/threading.hpp>

using namespace std::chrono_literals;

int main() {
  static threading::Event never;
  threading::Thread background({.name = "background", .daemon = true}, [] { never.wait(); });
  background.start();

  threading::Thread last({.name = "last"}, [] {
    // main() has returned by the time the wait is over.
    threading::main_thread().join();
    std::cout << "main is over, and this line still appears\n" << std::flush;
  });
  last.start();

  try {
    last.daemon(true);
  } catch (const threading::RuntimeError& error) {
    std::cout << "RuntimeError: " << error.what() << '\n';
  }
  std::cout << "background is a daemon: " << std::boolalpha << background.daemon() << '\n' << std::flush;
}
