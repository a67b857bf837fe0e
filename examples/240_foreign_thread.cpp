// SPDX-License-Identifier: MIT
//
// A thread that the library did not start takes part all the same: it may lock
// and wait, and current_thread() gives it a dummy object.
#include <iostream>
#include <optional>
#include <string>
#include <thread>

#include <threading/threading.hpp>

namespace {

bool is_listed(const threading::Thread& wanted) {
  for (const threading::Thread& thread : threading::enumerate()) {
    if (thread == wanted) return true;
  }
  return false;
}

}  // namespace

int main() {
  std::cout << std::boolalpha;
  threading::Lock lock;
  threading::Event seen;
  threading::Event go_on;
  std::optional<threading::Thread> dummy;

  std::jthread alien([&] {
    threading::With hold(lock);
    dummy = threading::current_thread();
    seen.set();
    go_on.wait();
  });
  seen.wait();

  std::cout << dummy->name().substr(0, 6) << " alive: " << dummy->is_alive() << ", daemon: " << dummy->daemon()
            << ", listed: " << is_listed(*dummy) << '\n';
  try {
    dummy->join();
  } catch (const threading::RuntimeError& error) {
    std::cout << "RuntimeError: " << error.what() << '\n';
  }

  go_on.set();
  alien.join();
  std::cout << "after the thread has ended, listed: " << is_listed(*dummy) << '\n';
}
