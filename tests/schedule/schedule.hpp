// SPDX-License-Identifier: MIT
//
// The schedule lab for programs that use the library: one include for scenarios of your own. How to write and build
// them is told, with an example, in docs/verification/your_programs.md.
//
//   LAB_SCENARIO      lab::together, lab::spawn     threads            lab::check, lab::fail, lab::note
//   lab::make, lab::destroy                         watched memory     lab::choose                     free choices
//   lab::monotonic_now, lab::sleep_until            virtual time       lab::run, lab::check_linearizable
#pragma once

#include <schedule/lab/history.hpp>
#include <schedule/lab/lab.hpp>
#include <schedule/lab/models.hpp>
