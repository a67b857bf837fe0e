// SPDX-License-Identifier: MIT
//
// join() with a bound says whether the thread has ended.
#include <chrono>
#include <iostream>

#include <threading/threading.hpp>

using namespace std::chrono_literals;

int main() {
  threading::Event let_go;
  threading::Thread worker = threading::spawn({.name = "crunch"}, [&] { let_go.wait(); });

  if (!worker.join(20ms)) std::cout << worker.name() << " is still alive\n";
  let_go.set();
  if (worker.join(threading::forever)) std::cout << worker.name() << " has ended\n";

  // Seconds as in Python, any chrono duration, or a point in time.
  std::cout << std::boolalpha << worker.join(1.5) << ' ' << worker.join(2min) << ' '
            << worker.join(std::chrono::steady_clock::now()) << '\n';
}
