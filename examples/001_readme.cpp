// SPDX-License-Identifier: MIT
//
// The first example of the README.
#include <deque>
#include <iostream>

#include <threading/threading.hpp>

threading::Condition cv;
std::deque<int> items;

int consume() {
  threading::With hold(cv);
  cv.wait_for([] { return !items.empty(); });
  const int item = items.front();
  items.pop_front();
  return item;
}

void produce(int item) {
  threading::With hold(cv);
  items.push_back(item);
  cv.notify();
}

int main() {
  threading::Thread producer({.name = "producer"}, produce, 42);
  producer.start();
  std::cout << consume() << '\n';
  producer.join();
}
