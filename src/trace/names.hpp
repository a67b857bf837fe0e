// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace threading::inline v1::trace {

// What is known about an address. Kept as long as the program runs.
struct Symbol {
  const void* address;
  std::string name;  // demangled; the address in hexadecimal if nothing better is known
  std::string file;  // empty: unknown
  int line;          // 0: unknown
};

// Looks an address up, once. Throws: std::bad_alloc.
const Symbol& symbol_at(const void* address);

// Returns: to be freed by std::free(); null if it is no mangled name.
char* demangled(const char* mangled) noexcept;

// Out of "virtual void A::f(int) [with T = int]" the part "A::f(int)"; other text as it is.
std::string_view without_return_type(std::string_view pretty) noexcept;

}  // namespace threading::inline v1::trace
