// SPDX-License-Identifier: MIT
//
// A program whose only test hangs, for the watchdog to bite.
#include <unistd.h>

#include <gtest/gtest.h>

TEST(Hang, ForEver) { ::pause(); }
