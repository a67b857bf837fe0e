// SPDX-License-Identifier: MIT
//
// Functions that the test programs of the archives have instrumented.
#pragma once

#include <string>

namespace traced {
int leaf(int x);
int branch(int x);      // calls leaf() twice
void thrower();         // throws std::runtime_error
void catcher();         // calls thrower() and catches
std::size_t strings();  // uses what the standard library's templates make of it
inline int inlined(int x) { return x * 2; }
int calls_inlined(int x);
int first_line();  // the line on which it is defined
}  // namespace traced
