// SPDX-License-Identifier: MIT
#include "atomic.hpp"

#include <cstdio>

#include "bits.hpp"
#include "race.hpp"
#include "world.hpp"

namespace lab::detail {

namespace {

const char* order_name(std::memory_order order) noexcept {
  switch (order) {
    case std::memory_order_relaxed: return "relaxed";
    case std::memory_order_consume: return "consume";
    case std::memory_order_acquire: return "acquire";
    case std::memory_order_release: return "release";
    case std::memory_order_acq_rel: return "acq_rel";
    case std::memory_order_seq_cst: return "seq_cst";
  }
  return "?";
}

const char* rmw_name(Rmw how) noexcept {
  switch (how) {
    case Rmw::exchange: return "exchange";
    case Rmw::add: return "fetch_add";
    case Rmw::sub: return "fetch_sub";
    case Rmw::bit_and: return "fetch_and";
    case Rmw::bit_or: return "fetch_or";
    case Rmw::bit_xor: return "fetch_xor";
  }
  return "?";
}

std::string hex(std::uint64_t value) {
  char text[32];
  std::snprintf(text, sizeof text, value < 10 ? "%lu" : "%#lx", static_cast<unsigned long>(value));
  return text;
}

std::uint64_t outside_modify(void* where, unsigned size, Rmw how, std::uint64_t operand) noexcept {
  const std::uint64_t old = load_bits(where, size);
  std::uint64_t value = operand;
  if (how == Rmw::add) value = old + operand;
  if (how == Rmw::sub) value = old - operand;
  if (how == Rmw::bit_and) value = old & operand;
  if (how == Rmw::bit_or) value = old | operand;
  if (how == Rmw::bit_xor) value = old ^ operand;
  std::memcpy(where, &value, size);
  return old;
}

}  // namespace

std::uint64_t atomic_load(const void* where, unsigned size, std::memory_order order, const Site& site) noexcept {
  World* const world = active_world();
  if (world == nullptr || Space::is_constant(reinterpret_cast<std::uintptr_t>(where))) return load_bits(where, size);
  world->point(where);
  Fiber& self = world->self();
  const std::uint64_t value = world->memory.load(self, world->memory.locate(self, where, size, false, site), order);
  if (world->tracing()) {
    const auto text = [&] {
      const std::uint64_t latest = load_bits(where, size);
      std::string words = std::string(order_name(order)) + " -> " + hex(value);
      if (latest != value) words += " (stale; the latest is " + hex(latest) + ')';
      return words;
    };
    world->trace("load", where, text, site);
  }
  return value;
}

void atomic_store(void* where, unsigned size, std::uint64_t value, std::memory_order order, const Site& site) noexcept {
  World* const world = active_world();
  if (world == nullptr) {
    std::memcpy(where, &value, size);
    return;
  }
  world->point(where);
  Fiber& self = world->self();
  Location& location = world->memory.locate(self, where, size, true, site);
  if (world->tracing()) {
    const auto text = [&] {
      return std::string(order_name(order)) + ' ' + hex(load_bits(where, size)) + " -> " + hex(value);
    };
    world->trace("store", where, text, site);
  }
  world->memory.store(self, location, value, order);
}

std::uint64_t atomic_modify(void* where, unsigned size, Rmw how, std::uint64_t operand, std::memory_order order,
                            const Site& site) noexcept {
  World* const world = active_world();
  if (world == nullptr) return outside_modify(where, size, how, operand);
  world->point(where);
  Fiber& self = world->self();
  const std::uint64_t old =
      world->memory.modify(self, world->memory.locate(self, where, size, true, site), how, operand, order);
  if (world->tracing()) {
    const auto text = [&] {
      return std::string(order_name(order)) + ' ' + hex(old) + " -> " + hex(load_bits(where, size));
    };
    world->trace(rmw_name(how), where, text, site);
  }
  return old;
}

bool atomic_compare_exchange(void* where, unsigned size, std::uint64_t& expected, std::uint64_t desired,
                             std::memory_order success, std::memory_order failure, bool weak,
                             const Site& site) noexcept {
  World* const world = active_world();
  if (world == nullptr) {
    const std::uint64_t old = load_bits(where, size);
    if (old == expected) {
      std::memcpy(where, &desired, size);
      return true;
    }
    expected = old;
    return false;
  }
  world->point(where);
  Fiber& self = world->self();
  Location& location = world->memory.locate(self, where, size, true, site);
  const bool refused = weak && load_bits(where, size) == truncate(expected, size) && world->fault(Fault::weak_cas);
  const std::uint64_t old = refused
                                ? world->memory.kernel_load(self, location)
                                : world->memory.compare_exchange(self, location, expected, desired, success, failure);
  const bool done = !refused && old == truncate(expected, size);
  if (world->tracing()) {
    const auto text = [&] {
      const std::string outcome = done ? ": done" : refused ? ": refused" : ": failed, it is " + hex(old);
      return std::string(order_name(success)) + ' ' + hex(expected) + " -> " + hex(desired) + outcome;
    };
    world->trace("compare_exchange", where, text, site);
  }
  if (!done) expected = old;
  return done;
}

void atomic_created(const void* where, unsigned size, const Site& site) noexcept {
  World* const world = active_world();
  if (world == nullptr) return;
  const auto address = reinterpret_cast<std::uintptr_t>(where);
  if (Space::is_tracked(address)) world->memory.plain_write(world->self(), address, size, site);
}

}  // namespace lab::detail
