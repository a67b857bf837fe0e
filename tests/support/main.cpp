// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "support/watchdog.hpp"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  support::install_watchdog();
  return RUN_ALL_TESTS();
}
