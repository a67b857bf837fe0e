// SPDX-License-Identifier: MIT
//
// Which seeded bug is on, if any. mutants/apply.py rewrites a copy of the sources so that each bug of the table hides
// behind lab::mutant(N); the sources themselves know nothing of it.
#pragma once

namespace lab {

inline int active_mutant = 0;

constexpr bool mutant(int number) noexcept {
  if (__builtin_is_constant_evaluated()) return false;
  return active_mutant == number;
}

}  // namespace lab
