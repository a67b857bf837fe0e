// SPDX-License-Identifier: MIT
//
// A primitive of your own on the parking lot: one word of state, and the lot's
// queue under its address. Its waiters show up in dump() like those of a Lock.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <vector>

#include <threading/parking_lot.hpp>
#include <threading/threading.hpp>

namespace {

constexpr threading::WaitKind kCountDownKind{"CountDown"};

// wait() returns once count_down() was called `count` times.
class CountDown {
 public:
  explicit CountDown(std::uint32_t count) : left_(count) {}

  void count_down() {
    // The last one wakes everybody. By then a waiter may have seen the zero and
    // destroyed this object: unpark_all() needs no more than its address.
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) threading::unpark_all(this);
  }

  void wait() {
    if (is_over()) return;
    // The lot asks again under its own lock before this thread sleeps, so that
    // the last count_down() cannot slip in between.
    const threading::ParkResult result = threading::park(
        this, kCountDownKind, [this]() noexcept { return !is_over(); }, []() noexcept {},
        [](bool, threading::LeaveReason) noexcept {});
    static_cast<void>(result);  // woken, or over before it slept: the same to us
  }

 private:
  bool is_over() const noexcept { return left_.load(std::memory_order_acquire) == 0; }

  std::atomic<std::uint32_t> left_;
};

}  // namespace

int main() {
  constexpr int kWorkers = 4;
  CountDown finished(kWorkers);
  std::vector<int> squares(kWorkers);
  for (int i = 0; i < kWorkers; ++i) {
    threading::spawn([&, i] {
      squares[static_cast<std::size_t>(i)] = i * i;
      finished.count_down();
    });
  }
  finished.wait();
  for (const int square : squares) std::cout << square << '\n';
}
