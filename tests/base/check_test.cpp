// SPDX-License-Identifier: MIT
//
// How the library ends a process that it cannot let go on.
#include "base/check.hpp"

#include <csignal>
#include <string>

#include "support/support.hpp"

namespace {

using namespace support;

TEST(Die, SaysItsMessageOnStderrAndAborts) {
  expect_child(killed_by(SIGABRT), "^threading: fatal: lock 7 of thread\n",
               [] { threading::base::die("lock %d of %s", 7, "thread"); });
}

// A message that is too long is cut, not overrun.
TEST(Die, CutsALongMessage) {
  expect_child(killed_by(SIGABRT), "^threading: fatal: x{511}\n",
               [] { threading::base::die("%s", std::string(5000, 'x').c_str()); });
}

TEST(Invariant, NamesTheFileWhenBroken) {
  expect_child(killed_by(SIGABRT), "^threading: fatal: invariant broken: water is wet \\(.*check_test.cpp:[0-9]+\\)",
               [] { THREADING_INVARIANT(1 + 1 == 3, "water is wet"); });
}

TEST(Invariant, DoesNothingWhenItHolds) {
  expect_child(exited(0), "^$", [] { THREADING_INVARIANT(1 + 1 == 2, "arithmetic works"); });
}

}  // namespace
