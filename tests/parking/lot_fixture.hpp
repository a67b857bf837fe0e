// SPDX-License-Identifier: MIT
//
// Threads that park at an address and note how that ended.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include <threading/parking_lot.hpp>

#include "support/lot.hpp"
#include "support/support.hpp"

namespace lot_test {

using namespace support;
using namespace threading;

inline constexpr WaitKind kTestKind{"Test"};
inline constexpr WaitKind kOtherKind{"Other"};

inline constexpr auto kYes = []() noexcept { return true; };
inline constexpr auto kNothing = []() noexcept {};
inline constexpr auto kIgnore = [](bool, LeaveReason) noexcept {};

inline ParkResult park_simply(const void* key, const ParkOptions& options = {}) {
  return park(key, kTestKind, kYes, kNothing, kIgnore, options);
}

class LotTest : public testing::Test {
 protected:
  // A thread that parks at `key` and logs `name` with what it was told. Returns when it is queued.
  void park_thread(const void* key, int name, ParkOptions options = {}) {
    const std::size_t before = waiters_at(key);
    threads_.add([this, key, name, options] { log(name, park_simply(key, options)); });
    ASSERT_TRUE(eventually([&] { return waiters_at(key) == before + 1; }));
  }
  void park_threads(const void* key, int first_name, int count, ParkOptions options = {}) {
    for (int i = 0; i < count; ++i) ASSERT_NO_FATAL_FAILURE(park_thread(key, first_name + i, options));
  }

  void log(int name, ParkResult result) {
    const std::scoped_lock hold(mutex_);
    log_.emplace_back(name, result);
  }
  std::size_t log_size() {
    const std::scoped_lock hold(mutex_);
    return log_.size();
  }
  std::vector<int> names() {
    const std::scoped_lock hold(mutex_);
    std::vector<int> result;
    for (const auto& entry : log_) result.push_back(entry.first);
    return result;
  }
  // Wakes one after the other, each only when the one before has been logged.
  std::vector<int> drain(const void* key) {
    while (unpark_one(key) == 1) {
      const std::size_t expected = ++drained_;
      EXPECT_TRUE(eventually([&] { return log_size() >= expected; }));
    }
    return names();
  }

  std::mutex mutex_;
  std::vector<std::pair<int, ParkResult>> log_;
  std::size_t drained_ = 0;
  int key_ = 0;
  int other_ = 0;
  Bunch threads_;  // last: joined first
};

}  // namespace lot_test
