// SPDX-License-Identifier: MIT
//
// An RLock belongs to a thread, which may take it again.
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <threading/threading.hpp>

namespace {

class Account {
 public:
  void deposit(int amount) {
    threading::With hold(lock_);
    balance_ += amount;
    log_.push_back("deposit " + std::to_string(amount));
  }

  // Calls deposit() with the lock held: a plain Lock would wait for itself.
  void deposit_twice(int amount) {
    threading::With hold(lock_);
    deposit(amount);
    deposit(amount);
  }

  void print() {
    threading::With hold(lock_);
    for (const std::string& line : log_) std::cout << line << '\n';
    std::cout << "balance " << balance_ << '\n';
  }

 private:
  threading::RLock lock_;
  int balance_ = 0;
  std::vector<std::string> log_;
};

}  // namespace

int main() {
  Account account;
  account.deposit_twice(20);
  account.print();

  threading::RLock lock;
  lock.acquire();
  lock.acquire();
  threading::spawn([&] {
    std::cout << "another thread gets it: " << std::boolalpha << lock.acquire(false) << '\n';
    try {
      lock.release();
    } catch (const threading::RuntimeError& error) {
      std::cout << "RuntimeError: " << error.what() << '\n';
    }
  }).join();
  lock.release();
  std::cout << "after one release, locked: " << lock.locked() << '\n';
  lock.release();
  std::cout << "after two, locked: " << lock.locked() << '\n';
}
