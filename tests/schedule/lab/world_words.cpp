// SPDX-License-Identifier: MIT
//
// World: failing, and saying what happened.
#include <cstdio>

#include "report.hpp"
#include "world.hpp"

namespace lab::detail {

void World::fail(const char* kind, const std::string& text) {
  {
    const Outside guard(*this);
    failure_kind = kind;
    failure_text = text;
  }
  to_driver(Ending::failed);
  __builtin_unreachable();
}

void World::fail_livelock() {
  fail("livelock", "no end after " + std::to_string(steps_) + " steps\n" + describe_fibers());
}

void World::fail_deadlock() { fail("deadlock", "nobody can move\n" + describe_fibers()); }

std::string World::describe_fibers() const {
  std::string text;
  for (const Fiber& fiber : fibers_) {
    if (fiber.state == RunState::absent) continue;
    text += "  ";
    text += fiber.name;
    switch (fiber.state) {
      case RunState::absent: break;
      case RunState::ready: text += (spinning_ & bit(fiber.id)) != 0 ? " spins" : " can move"; break;
      case RunState::finished: text += " has ended"; break;
      case RunState::blocked:
        text += std::string(" waits in ") + fiber.waits_in + " on ";
        text += describe(reinterpret_cast<std::uintptr_t>(fiber.waits_on));
        text += " since " + describe_site(fiber.waits_at);
        if (fiber.background) text += " (background)";
        break;
    }
    text += '\n';
  }
  return text;
}

void World::write_down(const char* operation, const void* where, const std::string& text, const Site& site) {
  char line[512];
  std::snprintf(line, sizeof line, "%4u  %-10s %s", steps_, current_->name, operation);
  std::string words = line;
  if (where != nullptr) words += ' ' + describe(reinterpret_cast<std::uintptr_t>(where));
  if (!text.empty()) words += ' ' + text;
  if (words.size() < 76) words.resize(76, ' ');
  trace_lines.push_back(words + "  " + describe_site(site));
}

void World::name(const void* begin, std::size_t size, const char* name) {
  if (!setup_.tracing) return;
  const Outside guard(*this);
  Named named{reinterpret_cast<std::uintptr_t>(begin), size, {}};
  std::snprintf(named.name, sizeof named.name, "%s", name);
  names_.push_back(named);
}

std::string World::describe(std::uintptr_t address) const {
  for (auto named = names_.rbegin(); named != names_.rend(); ++named) {
    if (address - named->begin >= named->size) continue;
    std::string text = named->name;
    if (address != named->begin) text += '+' + std::to_string(address - named->begin);
    return text;
  }
  for (const Fiber& fiber : fibers_) {
    if (reinterpret_cast<std::uintptr_t>(&fiber) == address) return fiber.name;
  }
  char text[64];
  if (Space::is_stack(address)) {
    const unsigned owner = Space::stack_owner(address);
    std::snprintf(text, sizeof text, "a local of %s (%#lx)", fibers_[owner].name, static_cast<unsigned long>(address));
    return text;
  }
  if (address - Space::globals_begin < Space::globals_size()) {
    if (const std::string global = describe_global(address); !global.empty()) return global;
  }
  std::snprintf(text, sizeof text, "%#lx", static_cast<unsigned long>(address));
  return text;
}

}  // namespace lab::detail
