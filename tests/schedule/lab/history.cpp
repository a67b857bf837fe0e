// SPDX-License-Identifier: MIT
#include "history.hpp"

#include "world.hpp"

namespace lab::detail {

namespace {

bool precedes(World& world, const Operation& operation, std::int16_t epoch) {
  if (operation.end == 0) return false;
  return !world.setup().weak || world.self().clock.at[operation.thread] >= epoch;
}

}  // namespace

// Only "ended before the other began" matters, so ends commute with ends and begins with begins: the state cache is
// told just that.
std::size_t begin_operation(int what, std::int64_t argument) {
  World& world = *the_world;
  world.point();
  world.remember(mix(world.ends_hash, static_cast<std::uint64_t>(what)));
  const Outside outside(world);
  std::uint32_t after = 0;
  for (std::size_t i = 0; i < world.history.size(); ++i) {
    if (precedes(world, world.history[i], world.history_epochs[i])) after |= 1u << i;
  }
  world.history.push_back({what, argument, 0, world.self().id, ++world.history_time, 0, after});
  world.history_epochs.push_back(0);
  if (world.history.size() > kMaxOperations) world.fail("the lab is too small", "more than 12 operations");
  return world.history.size() - 1;
}

void end_operation(std::size_t operation, std::int64_t result) {
  World& world = *the_world;
  Operation& ended = world.history[operation];
  ended.result = result;
  ended.end = ++world.history_time;
  world.history_epochs[operation] = world.self().clock.at[world.self().id];
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
