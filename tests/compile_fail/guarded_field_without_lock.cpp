// SPDX-License-Identifier: MIT
// expect: requires holding
// compiler: clang++
// flags: -Wthread-safety -Werror
#include <threading/lock.hpp>
#include <threading/with.hpp>

class Account {
 public:
  void deposit(int amount) {
#if !defined(BAD)
    threading::With hold(lock_);
#endif
    balance_ += amount;
  }

 private:
  threading::Lock lock_;
  int balance_ THREADING_GUARDED_BY(lock_) = 0;
};

void use(Account& account) { account.deposit(1); }
