// SPDX-License-Identifier: MIT
#include "base/check.hpp"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace threading::inline v1::base {

void die(const char* format, ...) noexcept {
  char text[512];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  std::fprintf(stderr, "threading: fatal: %s\n", text);
  std::fflush(stderr);
  std::abort();
}

void invariant_failed(const char* what, const char* file, int line) noexcept {
  die("invariant broken: %s (%s:%d)", what, file, line);
}

}  // namespace threading::inline v1::base
