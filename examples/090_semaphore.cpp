// SPDX-License-Identifier: MIT
//
// A Semaphore counts: release(n) lets n threads through.
#include <chrono>
#include <iostream>
#include <vector>

#include <threading/threading.hpp>

using namespace std::chrono_literals;

int main() {
  std::cout << std::boolalpha;
  threading::Semaphore tickets(0);
  threading::Semaphore entered(0);

  std::vector<threading::Thread> visitors;
  for (int i = 0; i < 4; ++i) {
    visitors.push_back(threading::spawn([&] {
      tickets.acquire();
      entered.release();
    }));
  }
  std::cout << "anyone in yet: " << entered.acquire(10ms) << '\n';

  tickets.release(3);
  for (int i = 0; i < 3; ++i) entered.acquire();
  std::cout << "three are in\n";
  std::cout << "a fourth: " << entered.acquire(10ms) << '\n';

  tickets.release();
  for (const threading::Thread& visitor : visitors) visitor.join();
  std::cout << "all are in: " << entered.acquire(false) << '\n';

  try {
    threading::Semaphore impossible(-1);
  } catch (const threading::ValueError& error) {
    std::cout << "ValueError: " << error.what() << '\n';
  }
}
