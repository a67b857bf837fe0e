// SPDX-License-Identifier: MIT
//
// The pool of blocks for thread objects: a list of those that are free, and segments that whoever comes first makes.
#include "platform/block_pool.hpp"

#include "support.hpp"

namespace {

using namespace scenarios;
using threading::platform::Block;
using threading::platform::give_back_pooled;
using threading::platform::take_pooled;

// Each writes to its block and finds what it has written: the lab reports a race if two have the same one.
void use(const Block& block, int value) {
  auto* const there = static_cast<int*>(block.at);
  *there = value;
  lab::check(*there == value, "a block of its own");
}

LAB_SCENARIO(block_pool_first, "two threads that need the first segment", {.bound = 3, .weak_bound = 2}) {
  lab::together({{"a", [] { use(take_pooled(128), 1); }}, {"b", [] { use(take_pooled(128), 2); }}});
}

LAB_SCENARIO(block_pool_again, "a block that is given back is used by one, who sees that the last has gone",
             {.bound = 3, .weak_bound = 2}) {
  const Block first = take_pooled(200);
  const Block second = take_pooled(200);
  use(second, 3);
  give_back_pooled(second.number);
  lab::together({{"giver",
                  [&] {
                    use(first, 1);
                    give_back_pooled(first.number);
                  }},
                 {"a", [] { use(take_pooled(200), 4); }},
                 {"b", [] { use(take_pooled(200), 5); }}});
}

}  // namespace
