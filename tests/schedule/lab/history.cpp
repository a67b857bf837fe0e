// SPDX-License-Identifier: MIT
#include "history.hpp"

#include "world.hpp"

namespace lab::detail {

// Only "ended before the other began" matters, so ends commute with ends and begins with begins: the state cache is
// told just that.
std::size_t begin_operation(int what, std::int64_t argument) {
  World& world = *the_world;
  world.point();
  world.remember(mix(world.ends_hash, static_cast<std::uint64_t>(what)));
  const Outside outside(world);
  const auto now = static_cast<unsigned>(++world.history_time);
  world.history.push_back({what, argument, 0, world.self().id, now, 0xffffffffu});
  if (world.history.size() > kMaxOperations) world.fail("the lab is too small", "more than 12 operations");
  return world.history.size() - 1;
}

void end_operation(std::size_t operation, std::int64_t result) {
  World& world = *the_world;
  Operation& ended = world.history[operation];
  ended.result = result;
  ended.end = ++world.history_time;
  world.remember(static_cast<std::uint64_t>(result));
  world.ends_hash += world.self().hash;
}

std::vector<Operation> take_history() { return the_world->history; }

void fail_history(const std::vector<Operation>& history, const char* (*name)(int)) {
  World& world = *the_world;
  std::string text = "no order of these operations explains their results:\n";
  for (const Operation& operation : history) {
    text += "  [" + std::to_string(operation.begin) + ", " + std::to_string(operation.end) + "] " +
            world.fiber(operation.thread).name + ": " + name(operation.what) + '(' +
            std::to_string(operation.argument) + ") -> " + std::to_string(operation.result) + '\n';
  }
  world.fail("not linearizable", text);
}

}  // namespace lab::detail
