// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <iosfwd>

namespace support {

// What the watchdog prints about the library before it ends a hung program. Added by lot_check.cpp and thread_check.cpp
// in the programs that link the rooms these look at.
void add_watchdog_report(std::function<void(std::ostream&)> report);

// Adds a listener to the test runner: a test that runs longer than 60 s, scaled, is taken for hung. The program then
// prints the test's name, the report, and every OS thread with its state, and aborts.
void install_watchdog();

}  // namespace support
