// SPDX-License-Identifier: MIT
#pragma once

#include <signal.h>

#include <gtest/gtest.h>

#include "stress/stress.hpp"

namespace stress {

// Signals that a handler took since the test began.
inline std::atomic<std::int64_t> handled{0};

// While a test of this kind runs, SIGUSR1 is counted, and interrupts system calls.
class CountsSignals : public testing::Test {
 protected:
  void SetUp() override {
    handled = 0;
    struct sigaction action = {};
    action.sa_handler = [](int) { ++handled; };
    sigaction(SIGUSR1, &action, &before_);
  }
  void TearDown() override { sigaction(SIGUSR1, &before_, nullptr); }

 private:
  struct sigaction before_ = {};
};

}  // namespace stress
