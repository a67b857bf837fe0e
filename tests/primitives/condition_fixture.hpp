// SPDX-License-Identifier: MIT
//
// Conditions over each kind of lock behind one face, and threads that wait on them.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include <threading/condition.hpp>

#include "support/lot.hpp"
#include "support/support.hpp"

namespace condition_test {

using namespace support;
using namespace threading;

struct OverOwnLock {
  Condition cv;
};
struct OverLock {
  Lock lock;
  Condition cv{lock};
};
struct OverRLock {
  RLock lock;
  Condition cv{lock};
};
struct OverMutex {
  std::mutex lock;
  ConditionOver<std::mutex> cv{lock};
};
struct OverForeignLock {
  Lock lock;
  ConditionOver<Lock> cv{lock};
};

struct KindNames {
  template <class Kind>
  static std::string GetName(int) {
    if (std::is_same_v<Kind, OverOwnLock>) return "OverOwnLock";
    if (std::is_same_v<Kind, OverLock>) return "OverLock";
    if (std::is_same_v<Kind, OverRLock>) return "OverRLock";
    return std::is_same_v<Kind, OverMutex> ? "OverMutex" : "OverForeignLock";
  }
};

template <class Kind>
class Conditions : public testing::Test {
 protected:
  // A thread that waits and logs `name` when it returns, with the lock held. Returns when it waits.
  template <class... Args>
  void wait_thread(int name, Args... args) {
    const int before = waiting();
    threads_.add([this, name, args...] {
      cv_.acquire();
      ++waiting_;
      const bool notified = cv_.wait(args...);
      --waiting_;
      order_.push_back(name);
      (notified ? notified_ : ended_) += 1;
      cv_.release();
      ++done_;
    });
    ASSERT_TRUE(eventually([&] { return waiting() == before + 1; }));
  }
  template <class... Args>
  void wait_threads(int count, Args... args) {
    for (int i = 0; i < count; ++i) ASSERT_NO_FATAL_FAILURE(wait_thread(i, args...));
  }

  // A thread counts itself with the lock held and is queued before it lets go of the lock: whoever holds the lock and
  // sees the count knows that so many are queued.
  int waiting() {
    const std::scoped_lock hold(cv_);
    return waiting_;
  }
  int returned() {
    const std::scoped_lock hold(cv_);
    return static_cast<int>(order_.size());
  }
  void notify(std::size_t n) {
    const std::scoped_lock hold(cv_);
    cv_.notify(n);
  }
  void notify_all() {
    const std::scoped_lock hold(cv_);
    cv_.notify_all();
  }
  // Nobody else returns for a while.
  void expect_still_returned(int count) {
    EXPECT_TRUE(eventually([&] { return returned() == count; }));
    EXPECT_FALSE(eventually([&] { return returned() != count; }, kShortDelay));
  }

  Kind kind_;
  decltype(Kind::cv)& cv_ = kind_.cv;
  int waiting_ = 0;  // these four are guarded by cv_
  int notified_ = 0;
  int ended_ = 0;
  std::vector<int> order_;
  std::atomic<int> done_{0};  // how many have let go of the lock
  Bunch threads_;
};

using AllKinds = testing::Types<OverOwnLock, OverLock, OverRLock, OverMutex, OverForeignLock>;
using OwnKinds = testing::Types<OverOwnLock, OverLock, OverRLock>;

}  // namespace condition_test
