// SPDX-License-Identifier: MIT
//
// How the library dies: THREADING_INVARIANT for what cannot happen, die() for misuse in a place that cannot throw.
#pragma once

#include <threading/detail/config.hpp>

namespace threading::inline v1::base {

// Prints "threading: fatal: <message>" on stderr and aborts. Allocates nothing, takes no lock.
[[noreturn]] THREADING_COLD void die(const char* format, ...) noexcept __attribute__((format(printf, 1, 2)));

[[noreturn]] THREADING_COLD void invariant_failed(const char* what, const char* file, int line) noexcept;

}  // namespace threading::inline v1::base

// Checked in every build: each one is a branch on a slow path, and a lock that goes on after one is worth nothing.
#define THREADING_INVARIANT(condition, what)                             \
  do {                                                                   \
    if (!(condition)) [[unlikely]]                                       \
      ::threading::v1::base::invariant_failed(what, __FILE__, __LINE__); \
  } while (false)
