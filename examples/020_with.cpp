// SPDX-License-Identifier: MIT
//
// `with some_lock:` and what it stands for.
#include <chrono>
#include <iostream>
#include <stdexcept>

#include <threading/threading.hpp>

using namespace std::chrono_literals;

namespace {

threading::Lock some_lock;
int counter = 0;

void do_something() { ++counter; }

void with_statement() {
  threading::With hold(some_lock);
  do_something();
}

void what_it_stands_for() {
  some_lock.acquire();
  try {
    do_something();
  } catch (...) {
    some_lock.release();
    throw;
  }
  some_lock.release();
}

}  // namespace

int main() {
  std::cout << std::boolalpha;
  with_statement();
  what_it_stands_for();
  std::cout << "counter: " << counter << ", locked: " << some_lock.locked() << '\n';

  // The lock is given back when an exception leaves the scope, too.
  try {
    threading::With hold(some_lock);
    throw std::runtime_error("in the middle");
  } catch (const std::runtime_error& error) {
    std::cout << error.what() << ", locked: " << some_lock.locked() << '\n';
  }

  // With a bound, ask whether it holds; with release(), give back early.
  threading::With first(some_lock);
  if (threading::With second{some_lock, 10ms}) {
    std::cout << "never printed\n";
  } else {
    std::cout << "not within 10 ms\n";
  }
  first.release();
  if (threading::With third{some_lock, 10ms}) std::cout << "now it holds\n";
}
