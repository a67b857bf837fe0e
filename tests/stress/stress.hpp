// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>

#include "support/lot.hpp"
#include "support/random.hpp"
#include "support/support.hpp"

namespace stress {

using namespace std::chrono_literals;
using namespace support;
using namespace threading;

// How long a test goes on: two seconds, scaled.
class Budget {
 public:
  bool left() const noexcept { return std::chrono::steady_clock::now() < end_; }

 private:
  std::chrono::steady_clock::time_point end_ =
      std::chrono::steady_clock::now() +
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(2s * stress_scale());
};

// Small delays of every kind between two steps: none, a pause, a yield, now and then a sleep.
class Jitter {
 public:
  explicit Jitter(int seed) : random_(static_cast<std::uint32_t>(seed)) {}

  std::uint32_t below(std::uint32_t limit) noexcept { return random_.below(limit); }

  void operator()() noexcept {
    const std::uint32_t what = below(64);
    if (what < 32) return;
    if (what < 56) {
      for (std::uint32_t i = 0; i < what; ++i) detail::backend::cpu_relax();
    } else if (what < 63) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(below(50)));
    }
  }

 private:
  Random random_;
};

// Shown with the result, so that a run that did hardly anything is noticed.
template <class Count>
void record(const char* what, Count count) {
  testing::Test::RecordProperty(what, std::to_string(count));
}

}  // namespace stress
