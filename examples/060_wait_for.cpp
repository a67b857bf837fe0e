// SPDX-License-Identifier: MIT
//
// wait_for() checks the condition itself, and does the sums of a timeout.
#include <chrono>
#include <deque>
#include <iostream>

#include <threading/threading.hpp>

using namespace std::chrono_literals;

namespace {

threading::Condition cv;
std::deque<int> items;

bool an_item_is_available() { return !items.empty(); }

int get_an_available_item() {
  const int item = items.front();
  items.pop_front();
  return item;
}

int consume_one() {
  threading::With hold(cv);
  cv.wait_for(an_item_is_available);
  return get_an_available_item();
}

void produce_one(int item) {
  threading::With hold(cv);
  items.push_back(item);
  cv.notify();
}

}  // namespace

int main() {
  threading::Thread producer = threading::spawn([] {
    for (int item = 1; item <= 3; ++item) produce_one(item * item);
  });
  for (int i = 0; i < 3; ++i) std::cout << "consumed " << consume_one() << '\n';
  producer.join();

  threading::With hold(cv);
  std::cout << "one more within 20 ms: " << std::boolalpha << cv.wait_for(an_item_is_available, 20ms) << '\n';

  // The predicate's own last value comes back, whatever its type.
  items = {7, 8};
  const std::size_t count = cv.wait_for([] { return items.size(); });
  std::cout << "waiting items: " << count << '\n';
}
