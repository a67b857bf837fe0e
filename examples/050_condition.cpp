// SPDX-License-Identifier: MIT
//
// The generic producer and consumer, with unlimited capacity.
#include <deque>
#include <iostream>

#include <threading/threading.hpp>

namespace {

threading::Condition cv;  // owns a new RLock, as in Python
std::deque<int> items;

bool an_item_is_available() { return !items.empty(); }

int get_an_available_item() {
  const int item = items.front();
  items.pop_front();
  return item;
}

void make_an_item_available(int item) { items.push_back(item); }

int consume_one() {
  threading::With hold(cv);
  while (!an_item_is_available()) cv.wait();
  return get_an_available_item();
}

void produce_one(int item) {
  threading::With hold(cv);
  make_an_item_available(item);
  cv.notify();
}

}  // namespace

int main() {
  threading::Thread producer = threading::spawn({.name = "producer"}, [] {
    for (int item = 1; item <= 5; ++item) produce_one(item);
  });
  for (int i = 0; i < 5; ++i) std::cout << "consumed " << consume_one() << '\n';
  producer.join();
}
