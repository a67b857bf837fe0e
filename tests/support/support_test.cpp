// SPDX-License-Identifier: MIT
//
// The helpers themselves: a helper that never fails a test would make every test worthless.
#include "support/support.hpp"

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <stdexcept>

#include <gtest/gtest-spi.h>

namespace {

using namespace support;

TEST(Bunch, RunsItsBodyOnEveryThread) {
  std::atomic<int> sum{0};
  Bunch bunch(4, [&](int index) { sum += index; });
  ASSERT_TRUE(eventually([&] { return bunch.finished() == 4; }));
  bunch.add([&] { sum += 100; });
  bunch.join();
  EXPECT_EQ(sum, 0 + 1 + 2 + 3 + 100);
}

TEST(Bunch, ReportsWhatABodyThrows) {
  EXPECT_NONFATAL_FAILURE_ON_ALL_THREADS(Bunch(1, [] { throw std::runtime_error("gone wrong"); }).join(), "gone wrong");
}

TEST(Eventually, IsFalseWhenThePredicateNeverHolds) {
  EXPECT_FALSE(eventually([] { return false; }, kShortDelay));
}

TEST(Child, EndsAsItsBodySays) {
  expect_child(exited(0), "hello", [] { std::cerr << "hello"; });
  expect_child(exited(3), "", [] { std::exit(3); });
  expect_child(killed_by(SIGABRT), "gone wrong", [] { throw std::runtime_error("gone wrong"); });
}

TEST(Child, FailsWhenAnAssertionInsideFails) {
  expect_child(exited(kChildAssertionFailed), "", [] { EXPECT_EQ(1, 2); });
}

TEST(Child, IsJudgedByItsEndingAndByWhatItSays) {
  EXPECT_NONFATAL_FAILURE(expect_child(exited(1), "", [] {}), "exit status 0, expected exit status 1");
  EXPECT_NONFATAL_FAILURE(expect_child(exited(0), "yes", [] { std::cerr << "no"; }), "Not found on its stderr: yes");
}

}  // namespace
