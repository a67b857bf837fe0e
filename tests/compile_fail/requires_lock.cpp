// SPDX-License-Identifier: MIT
// expect: requires holding Condition 'condition'
// compiler: clang++
// flags: -Wthread-safety -Werror
#include <threading/condition.hpp>
#include <threading/with.hpp>

threading::Condition condition;

void append() THREADING_REQUIRES(condition);

void use() {
#if !defined(BAD)
  threading::With hold(condition);
#endif
  append();
}
