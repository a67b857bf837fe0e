// SPDX-License-Identifier: MIT
//
// A Lock has two states and no owner: whoever comes may release it.
#include <chrono>
#include <iostream>

#include <threading/threading.hpp>

using namespace std::chrono_literals;

int main() {
  std::cout << std::boolalpha;

  threading::Lock lock;
  lock.acquire();
  std::cout << "locked: " << lock.locked() << '\n';
  std::cout << "acquire(false): " << lock.acquire(false) << '\n';
  std::cout << "acquire(20ms): " << lock.acquire(20ms) << '\n';
  std::cout << "acquire(true, 0.02): " << lock.acquire(true, 0.02) << '\n';

  // Another thread lets it go.
  threading::spawn([&] { lock.release(); }).join();
  std::cout << "locked: " << lock.locked() << '\n';

  try {
    lock.release();
  } catch (const threading::RuntimeError& error) {
    std::cout << "RuntimeError: " << error.what() << '\n';
  }
}
