// SPDX-License-Identifier: MIT
#include "functions.hpp"

#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <vector>

#include <threading/lock.hpp>
#include <threading/with.hpp>

namespace traced {

// Clang instruments what is left after optimisation, so that these are kept from it.
[[gnu::noinline]] int leaf(int x) {
  asm volatile("");
  return x + 1;
}

int branch(int x) { return leaf(x) + leaf(x + 1); }

[[gnu::noinline]] void thrower() { throw std::runtime_error("thrown"); }

void catcher() {
  try {
    thrower();
  } catch (const std::runtime_error&) {
  }
}

// The same templates that the library uses itself, so that its copies of them might be replaced by instrumented ones.
std::size_t strings() {
  static threading::Lock lock;
  const threading::With hold(lock);
  std::vector<std::shared_ptr<const std::function<void(int)>>> functions;
  functions.push_back(std::make_shared<const std::function<void(int)>>([](int) {}));
  (*functions.back())(1);
  std::map<std::string, int> names{{"a", 1}, {"b", 2}};
  return names.size() + functions.size();
}

int calls_inlined(int x) { return inlined(x); }

int first_line() { return __LINE__; }

}  // namespace traced
