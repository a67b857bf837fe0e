// SPDX-License-Identifier: MIT
//
// A Timer is a Thread: it has a name, is alive while it waits, can be joined,
// and can be cancelled until it fires.
#include <chrono>
#include <iostream>
#include <string>

#include <threading/threading.hpp>

using namespace std::chrono_literals;

int main() {
  std::cout << std::boolalpha;

  threading::Timer late({.name = "late"}, 1h, [] { std::cout << "never printed\n"; });
  late.start();
  std::cout << late.name() << " is alive: " << late.is_alive() << '\n';
  late.cancel();
  late.join();
  std::cout << late.name() << " is alive: " << late.is_alive() << '\n';

  threading::Timer soon(
      10ms, [](const std::string& whom) { std::cout << "hello, " << whom << '\n'; }, "Timer");
  soon.start();
  soon.join();
  soon.cancel();  // too late, and harmless
  std::cout << "done\n";
}
