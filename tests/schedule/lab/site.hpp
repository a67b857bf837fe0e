// SPDX-License-Identifier: MIT
//
// Where in the source an operation was written. std::source_location would do, but Clang 14 has none.
#pragma once

namespace lab {

struct Site {
  const char* file = nullptr;
  const char* function = nullptr;
  unsigned line = 0;
  const void* pc = nullptr;  // instead of the above, where only a return address is known

  static constexpr Site here(const char* file = __builtin_FILE(), const char* function = __builtin_FUNCTION(),
                             unsigned line = __builtin_LINE()) noexcept {
    return {file, function, line, nullptr};
  }
  static Site at(const void* pc) noexcept { return {nullptr, nullptr, 0, pc}; }
};

}  // namespace lab
