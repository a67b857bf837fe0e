// SPDX-License-Identifier: MIT
//
// A buffer of limited capacity: two conditions share one lock, so that a put
// wakes only a taker and a take only a putter.
#include <algorithm>
#include <cstddef>
#include <deque>
#include <iostream>

#include <threading/threading.hpp>

namespace {

class Buffer {
 public:
  explicit Buffer(std::size_t capacity) : capacity_(capacity) {}

  void put(int item) {
    threading::With hold(lock_);
    not_full_.wait_for([&] { return items_.size() < capacity_; });
    items_.push_back(item);
    largest_ = std::max(largest_, items_.size());
    not_empty_.notify();
  }

  int take() {
    threading::With hold(lock_);
    not_empty_.wait_for([&] { return !items_.empty(); });
    const int item = items_.front();
    items_.pop_front();
    not_full_.notify();
    return item;
  }

  std::size_t largest() {
    threading::With hold(lock_);
    return largest_;
  }

 private:
  const std::size_t capacity_;
  threading::Lock lock_;
  threading::Condition not_full_{lock_};
  threading::Condition not_empty_{lock_};
  std::deque<int> items_;
  std::size_t largest_ = 0;
};

}  // namespace

int main() {
  Buffer buffer(4);
  threading::Thread first = threading::spawn([&] {
    for (int i = 1; i <= 1000; ++i) buffer.put(i);
  });
  threading::Thread second = threading::spawn([&] {
    for (int i = 1001; i <= 2000; ++i) buffer.put(i);
  });
  long sum = 0;
  for (int i = 0; i < 2000; ++i) sum += buffer.take();
  first.join();
  second.join();
  std::cout << "sum " << sum << '\n';
  std::cout << "never more than 4: " << std::boolalpha << (buffer.largest() <= 4) << '\n';
}
