// SPDX-License-Identifier: MIT
#include "memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "bits.hpp"
#include "world.hpp"

namespace lab::detail {

namespace {

// Enough for every message and view of one execution; touched pages only cost memory.
constexpr std::size_t kPoolSize = std::size_t{64} << 20;
// Granules of globals that one execution may touch.
constexpr std::size_t kMaxUndo = std::size_t{1} << 16;
// How far back a stale read may look.
constexpr unsigned kMaxStale = 4;

constexpr bool acquires(std::memory_order order) noexcept {
  return order == std::memory_order_acquire || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst || order == std::memory_order_consume;
}

constexpr bool releases(std::memory_order order) noexcept {
  return order == std::memory_order_release || order == std::memory_order_acq_rel || order == std::memory_order_seq_cst;
}

std::uint64_t raw_value(const Location& location) noexcept {
  return load_bits(reinterpret_cast<const void*>(location.address), location.size);
}

void set_raw_value(const Location& location, std::uint64_t value) noexcept {
  store_bits(reinterpret_cast<void*>(location.address), location.size, value);
}

std::uint64_t apply(Rmw how, std::uint64_t old, std::uint64_t operand) noexcept {
  switch (how) {
    case Rmw::exchange: return operand;
    case Rmw::add: return old + operand;
    case Rmw::sub: return old - operand;
    case Rmw::bit_and: return old & operand;
    case Rmw::bit_or: return old | operand;
    case Rmw::bit_xor: return old ^ operand;
  }
  return old;
}

}  // namespace

Memory::Memory(World& world)
    : world_(world),
      pool_(static_cast<char*>(
          mmap(nullptr, kPoolSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
  undo_.reserve(kMaxUndo);
}

void Memory::begin_execution(bool weak, std::uint32_t generation) noexcept {
  weak_ = weak;
  generation_ = generation;
  location_count_ = 1;
  pool_used_ = 0;
  learned_ = false;
  for (Watch& watch : watches) watch.address = 0;
}

void Memory::undo() noexcept {
  for (const Undo& granule : undo_) *granule.where = granule.value;
  undo_.clear();
}

void* Memory::from_pool(std::size_t size) noexcept {
  size = (size + 15) & ~std::size_t{15};
  if (pool_used_ + size > kPoolSize) world_.fail("the lab is too small", "message pool used up");
  void* const memory = pool_ + pool_used_;
  pool_used_ += size;
  return memory;
}

std::uint64_t Memory::load(Fiber& self, Location& location, std::memory_order order) {
  if (weak_) {
    const Message& message = choose_message(self, location, order);
    if (acquires(order)) acquire(self, message);
    self.hash = mix(self.hash, message.hash);
    location.read_hash += self.hash;
    if (order == std::memory_order_seq_cst) {
      self.hash = mix(self.hash, location.sequential_hash);
      location.sequential_hash = self.hash;
    }
    return message.value;
  }
  if (acquires(order)) self.clock.join(location.released);
  self.hash = mix(self.hash, location.write_hash);
  location.read_hash += self.hash;
  return raw_value(location);
}

std::uint64_t Memory::kernel_load(Fiber& self, Location& location) {
  if (weak_) self.view[&location - locations_] = static_cast<std::uint16_t>(location.message_count - 1);
  self.hash = mix(self.hash, location.write_hash);
  location.read_hash += self.hash;
  return raw_value(location);
}

// Which message a weak load returns: the latest by default, an older one as a budgeted choice.
const Message& Memory::choose_message(Fiber& self, Location& location, std::memory_order order) {
  const auto index = static_cast<std::size_t>(&location - locations_);
  unsigned oldest = self.view[index];
  if (order == std::memory_order_seq_cst) oldest = std::max<unsigned>(oldest, location.sequential);
  const unsigned latest = location.message_count - 1;
  unsigned seen = latest;
  if (oldest < latest) seen -= world_.choose_stale(std::min(latest - oldest + 1, kMaxStale));
  self.view[index] = static_cast<std::uint16_t>(seen);
  if (seen != latest) world_.looks_again();
  if (order == std::memory_order_seq_cst) {
    location.sequential = std::max(location.sequential, static_cast<std::uint16_t>(seen));
  }
  return location.messages[seen];
}

void Memory::acquire(Fiber& self, const Message& message) noexcept {
  self.clock.join(message.clock);
  for (unsigned i = 0; i < message.view_size; ++i) {
    self.view[i] = std::max(self.view[i], message.view[i]);
  }
}

std::uint16_t* Memory::copy_view(const Fiber& self) noexcept {
  auto* const view = static_cast<std::uint16_t*>(from_pool(location_count_ * sizeof(std::uint16_t)));
  std::memcpy(view, self.view, location_count_ * sizeof(std::uint16_t));
  return view;
}

Message& Memory::append(Location& location) {
  if (location.message_count == location.message_capacity) {
    const unsigned capacity = location.message_capacity == 0 ? 4 : location.message_capacity * 2;
    auto* const grown = static_cast<Message*>(from_pool(capacity * sizeof(Message)));
    if (location.message_count != 0) {
      std::memcpy(static_cast<void*>(grown), location.messages, location.message_count * sizeof(Message));
    }
    location.messages = grown;
    location.message_capacity = capacity;
  }
  Message& message = location.messages[location.message_count++];
  message = Message{};
  return message;
}

// Makes `value` the latest. `continues`: a read-modify-write, which carries on the release sequence it extends.
void Memory::publish(Fiber& self, Location& location, std::uint64_t value, std::memory_order order, bool continues) {
  const std::uint64_t before = raw_value(location);
  // In weak mode a write does not depend on who read what before it.
  self.hash = mix(mix(self.hash, location.write_hash), weak_ ? 0 : location.read_hash);
  location.write_hash = self.hash;
  location.read_hash = 0;
  if (weak_) {
    const auto index = static_cast<std::size_t>(&location - locations_);
    Message& message = append(location);
    const Message* const last = location.message_count > 1 ? &message - 1 : nullptr;
    self.view[index] = static_cast<std::uint16_t>(location.message_count - 1);
    message.value = value;
    message.hash = self.hash;
    if (releases(order)) {
      auto* const view = copy_view(self);
      message.clock = self.clock;
      message.view = view;
      message.view_size = location_count_;
      if (continues && last != nullptr) {
        message.clock.join(last->clock);
        for (unsigned i = 0; i < last->view_size; ++i) view[i] = std::max(view[i], last->view[i]);
      }
    } else if (continues && last != nullptr) {
      message.clock = last->clock;
      message.view = last->view;
      message.view_size = last->view_size;
    }
    if (order == std::memory_order_seq_cst) {
      self.hash = mix(self.hash, location.sequential_hash);
      location.sequential_hash = self.hash;
      location.sequential = static_cast<std::uint16_t>(location.message_count - 1);
    }
  } else if (releases(order)) {
    if (!continues) location.released = VectorClock{};
    location.released.join(self.clock);
  } else if (!continues) {
    location.released = VectorClock{};
  }
  if (releases(order)) ++self.clock.at[self.id];
  set_raw_value(location, value);
  written(self, location, before, value);
}

void Memory::written(Fiber&, Location& location, std::uint64_t before, std::uint64_t after) {
  if (before != after) world_.progress();
  if (location.watch != 0) note_state(watches[location.watch - 1u], after);
}

void Memory::note_state(Watch& watch, std::uint64_t value) {
  value &= watch.mask;
  if (std::find(watch.seen.begin(), watch.seen.end(), value) != watch.seen.end()) return;
  const auto& legal = watch.legal;
  if (!legal.empty() && std::find(legal.begin(), legal.end(), value) == legal.end()) {
    world_.fail("illegal state", watch.name + " takes on " + std::to_string(value));
  }
  const Outside outside(world_);
  watch.seen.push_back(value);
}

void Memory::store(Fiber& self, Location& location, std::uint64_t value, std::memory_order order) {
  publish(self, location, truncate(value, location.size), order, false);
}

std::uint64_t Memory::modify(Fiber& self, Location& location, Rmw how, std::uint64_t operand, std::memory_order order) {
  const std::uint64_t old = raw_value(location);
  if (acquires(order)) {
    if (weak_) {
      acquire(self, location.messages[location.message_count - 1]);
    } else {
      self.clock.join(location.released);
    }
  }
  publish(self, location, truncate(apply(how, old, operand), location.size), order, true);
  return old;
}

std::uint64_t Memory::compare_exchange(Fiber& self, Location& location, std::uint64_t expected, std::uint64_t desired,
                                       std::memory_order success, std::memory_order failure) {
  const std::uint64_t old = raw_value(location);
  if (old == truncate(expected, location.size)) return modify(self, location, Rmw::exchange, desired, success);
  // A failed exchange is a load of the latest message.
  const std::uint64_t seen = kernel_load(self, location);
  if (acquires(failure)) {
    if (weak_) {
      acquire(self, location.messages[location.message_count - 1]);
    } else {
      self.clock.join(location.released);
    }
  }
  if (weak_ && failure == std::memory_order_seq_cst) {
    self.hash = mix(self.hash, location.sequential_hash);
    location.sequential_hash = self.hash;
    location.sequential = static_cast<std::uint16_t>(location.message_count - 1);
  }
  return seen;
}

void Memory::transfer(const Fiber& from, Fiber& to) noexcept {
  to.clock.join(from.clock);
  if (weak_) show(from, to);
}

void Memory::show(const Fiber& from, Fiber& to) const noexcept {
  for (unsigned i = 0; i < location_count_; ++i) to.view[i] = std::max(to.view[i], from.view[i]);
}

void Memory::catch_up(Fiber& self) const noexcept {
  for (unsigned i = 1; i < location_count_; ++i) {
    const unsigned count = locations_[i].message_count;
    if (count != 0) self.view[i] = static_cast<std::uint16_t>(count - 1);
  }
}

}  // namespace lab::detail
