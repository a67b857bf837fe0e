// SPDX-License-Identifier: MIT
//
// One T per thread, made on first use and destroyed with its thread.
#include <iostream>
#include <string>
#include <utility>

#include <threading/threading.hpp>

namespace {

class Scratch {
 public:
  explicit Scratch(std::string owner) : owner_(std::move(owner)) { std::cout << "made for " << owner_ << '\n'; }
  ~Scratch() { std::cout << "gone with " << owner_ << '\n'; }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::string text;

 private:
  std::string owner_;
};

}  // namespace

int main() {
  threading::local<int> count;  // starts as int{} in each thread
  ++*count;

  threading::local<Scratch> scratch([] { return Scratch(threading::current_thread().name()); });
  scratch->text = "main's";

  threading::Thread worker = threading::spawn({.name = "worker"}, [&] {
    ++*count;
    ++*count;
    scratch->text = "worker's";
    std::cout << "count in the worker: " << *count << '\n';
  });
  worker.join();  // the worker's values are destroyed before join() returns

  std::cout << "count in main: " << *count << ", text: " << scratch->text << '\n';
}
