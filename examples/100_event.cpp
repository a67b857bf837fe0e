// SPDX-License-Identifier: MIT
//
// One thread signals an event, and others wait for it.
#include <atomic>
#include <chrono>
#include <iostream>
#include <vector>

#include <threading/threading.hpp>

using namespace std::chrono_literals;

int main() {
  std::cout << std::boolalpha;
  threading::Event ready;
  int answer = 0;
  std::atomic<int> seen = 0;

  std::vector<threading::Thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.push_back(threading::spawn([&] {
      ready.wait();
      seen += answer;  // written before set(), so it is there after wait()
    }));
  }
  std::cout << "set yet: " << ready.is_set() << ", wait(10ms): " << ready.wait(10ms) << '\n';

  answer = 14;
  ready.set();
  for (const threading::Thread& reader : readers) reader.join();
  std::cout << "three readers saw " << seen << '\n';
  std::cout << "wait() now returns at once: " << ready.wait() << '\n';

  ready.clear();
  std::cout << "cleared, set: " << ready.is_set() << '\n';
}
