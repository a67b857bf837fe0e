// SPDX-License-Identifier: MIT
//
// The locks are at home in the standard library: its guards and algorithms take them.
#include <chrono>
#include <iostream>
#include <mutex>

#include <threading/threading.hpp>

using namespace std::chrono_literals;

namespace {

struct Account {
  threading::Lock lock{};
  int balance = 0;
};

// Two threads that move money in opposite directions: scoped_lock takes both
// locks without deadlock, whatever the order.
void transfer(Account& from, Account& to, int amount) {
  std::scoped_lock hold(from.lock, to.lock);
  from.balance -= amount;
  to.balance += amount;
}

}  // namespace

int main() {
  Account a{.balance = 1000}, b{.balance = 1000};
  threading::Thread there = threading::spawn([&] {
    for (int i = 0; i < 1000; ++i) transfer(a, b, 3);
  });
  threading::Thread back = threading::spawn([&] {
    for (int i = 0; i < 1000; ++i) transfer(b, a, 2);
  });
  there.join();
  back.join();
  std::cout << "a " << a.balance << ", b " << b.balance << '\n';

  std::unique_lock timed(a.lock, 10ms);
  std::cout << "unique_lock owns: " << std::boolalpha << timed.owns_lock() << '\n';
  std::cout << "try_lock_for: " << a.lock.try_lock_for(1ms) << '\n';
}
