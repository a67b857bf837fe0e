// SPDX-License-Identifier: MIT
//
// Part of every test program that links threads: no test may leave a thread behind, and the watchdog shows them all.
#include <string>

#include <gtest/gtest.h>

#include <threading/dump.hpp>
#include <threading/thread.hpp>

#include "support/delays.hpp"
#include "support/watchdog.hpp"

namespace support {
namespace {

class ThreadCheck : public testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo&) override {
    // Threads that nobody joins are given the time to end.
    if (eventually([] { return threading::active_count() == 1; })) return;
    std::string names;
    for (const threading::Thread& thread : threading::enumerate()) names += thread.name() + " ";
    ADD_FAILURE() << "the test left threads behind; alive are " << names;
  }
};

[[maybe_unused]] const bool installed = [] {
  add_watchdog_report([](std::ostream& out) { threading::dump(out); });
  testing::UnitTest::GetInstance()->listeners().Append(new ThreadCheck);
  return true;
}();

}  // namespace
}  // namespace support
