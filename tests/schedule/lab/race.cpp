// SPDX-License-Identifier: MIT
//
// The plain half of Memory: who touched which bytes last, what is freed, and which bytes hold an atomic.
#include <algorithm>
#include <cstring>

#include "report.hpp"
#include "world.hpp"

namespace lab::detail {

namespace {

// A site in 64 bits: a return address as it is; a source position as its file pointer with the line in the upper
// bits (the program is linked below 2^31).
std::uint64_t pack(const Site& site) noexcept {
  if (site.file == nullptr) return reinterpret_cast<std::uintptr_t>(site.pc);
  return reinterpret_cast<std::uintptr_t>(site.file) | (static_cast<std::uint64_t>(site.line) << 40) |
         (std::uint64_t{1} << 63);
}

Site unpack(std::uint64_t packed) noexcept {
  if ((packed >> 63) == 0) return Site::at(reinterpret_cast<const void*>(packed));
  Site site;
  site.file = reinterpret_cast<const char*>(packed & 0xffffffffffu);
  site.line = static_cast<unsigned>((packed >> 40) & 0x7fffff);
  return site;
}

unsigned byte_mask(std::uintptr_t address, unsigned size) noexcept { return ((1u << size) - 1u) << (address & 7); }

}  // namespace

Cell* Memory::fresh(std::uintptr_t address) noexcept {
  Cell* const cell = Space::cell(address);
  if (cell->generation != generation_) {
    const std::uint16_t shared_era = cell->shared_era;
    std::memset(static_cast<void*>(cell), 0, sizeof(Cell));
    cell->shared_era = shared_era;
    cell->generation = generation_;
    if (address - Space::globals_begin < Space::globals_size()) {
      auto* const granule = reinterpret_cast<std::uint64_t*>(address & ~std::uintptr_t{7});
      if (undo_.size() == undo_.capacity()) world_.fail("the lab is too small", "too many globals touched");
      undo_.push_back({granule, *granule});
    }
  }
  return cell;
}

void Memory::check_alive(Fiber& self, const Cell& cell, std::uintptr_t address, const Site& site) {
  if (cell.dead != 0) {
    world_.fail("freed memory", std::string(self.name) + " touches " + world_.describe(address) +
                                    ", which is freed, at " + describe_site(site));
  }
  if (!Space::is_stack(address)) return;
  const unsigned owner = Space::stack_owner(address);
  if (owner == self.id) return;
  const Fiber& other = world_.fiber(owner);
  const void* const used = other.context.stack_pointer();
  const bool gone = other.state == RunState::absent || other.state == RunState::finished ||
                    (used != nullptr && address < reinterpret_cast<std::uintptr_t>(used));
  if (gone) {
    world_.fail("freed memory", std::string(self.name) + " touches a stack frame that " + other.name +
                                    " has left, at " + describe_site(site));
  }
}

void Memory::check_written(Fiber& self, const Cell& cell, std::uintptr_t address, unsigned mask, const char* what,
                           const Site& site) {
  if ((cell.written & mask) == 0 || cell.writer == self.id) return;
  if (cell.write_clock <= self.clock.at[cell.writer]) return;
  world_.fail("data race", std::string(self.name) + " " + what + " " + world_.describe(address) + " at " +
                               describe_site(site) + "\n  while nothing orders it after the write by " +
                               world_.fiber(cell.writer).name + " at " + describe_site(unpack(cell.write_pc)));
}

void Memory::read_granule(Fiber& self, std::uintptr_t address, unsigned mask, const Site& site) {
  Cell& cell = *fresh(address);
  check_alive(self, cell, address, site);
  check_written(self, cell, address, mask, "reads", site);
  const std::int16_t clock = self.clock.at[self.id];
  if (cell.read_clock[self.id] != clock) cell.read[self.id] = 0;
  cell.read_clock[self.id] = clock;
  cell.read[self.id] = static_cast<std::uint8_t>(cell.read[self.id] | mask);
  cell.read_pc = pack(site);
}

void Memory::write_granule(Fiber& self, std::uintptr_t address, unsigned mask, const char* what, const Site& site) {
  Cell& cell = *fresh(address);
  check_alive(self, cell, address, site);
  check_written(self, cell, address, mask, what, site);
  for (unsigned i = 0; i < kMaxThreads; ++i) {
    if ((cell.read[i] & mask) == 0 || cell.read_clock[i] <= self.clock.at[i] || i == self.id) continue;
    world_.fail("data race", std::string(self.name) + " " + what + " " + world_.describe(address) + " at " +
                                 describe_site(site) + "\n  while nothing orders it after the read by " +
                                 world_.fiber(i).name + " at " + describe_site(unpack(cell.read_pc)));
  }
  if (cell.location[0] != 0 || cell.location[1] != 0) forget_locations(self, cell, address, mask, what, site);
  cell.writer = self.id;
  cell.written = static_cast<std::uint8_t>(mask);
  cell.write_clock = self.clock.at[self.id];
  cell.write_pc = pack(site);
}

// Bytes that held an atomic hold something else, or a new atomic, from now on. Every operation on the old one must
// be ordered before.
void Memory::forget_locations(Fiber& self, Cell& cell, std::uintptr_t address, unsigned mask, const char* what,
                              const Site& site) {
  for (std::uint16_t& first : cell.location) {
    for (std::uint16_t* link = &first; *link != 0;) {
      Location& location = locations_[*link];
      if ((byte_mask(location.address, location.size) & mask & 0xff) == 0) {
        link = &location.next;
        continue;
      }
      for (unsigned i = 0; i < kMaxThreads; ++i) {
        if (i == self.id || location.touched.at[i] <= self.clock.at[i]) continue;
        world_.fail("data race", std::string(self.name) + " " + what + " the atomic " + world_.describe(address) +
                                     " at " + describe_site(site) +
                                     "\n  while nothing orders it after an operation by " + world_.fiber(i).name);
      }
      *link = location.next;
    }
  }
}

void Memory::plain_read(Fiber& self, std::uintptr_t address, std::size_t size, const Site& site) {
  while (size != 0) {
    const auto part = static_cast<unsigned>(std::min<std::size_t>(size, 8 - (address & 7)));
    read_granule(self, address, byte_mask(address, part), site);
    address += part;
    size -= part;
  }
}

void Memory::plain_write(Fiber& self, std::uintptr_t address, std::size_t size, const Site& site) {
  while (size != 0) {
    const auto part = static_cast<unsigned>(std::min<std::size_t>(size, 8 - (address & 7)));
    write_granule(self, address, byte_mask(address, part), "writes", site);
    address += part;
    size -= part;
  }
}

void Memory::retire(Fiber& self, const void* begin, std::size_t size, const Site& site) {
  const auto first = reinterpret_cast<std::uintptr_t>(begin);
  for (std::uintptr_t at = first & ~std::uintptr_t{7}; at < first + size; at += 8) {
    write_granule(self, at, 0xff, "frees", site);
    Space::cell(at)->dead = 1;
  }
}

Location& Memory::locate(Fiber& self, const void* where, unsigned size, bool writes, const Site& site) {
  const auto address = reinterpret_cast<std::uintptr_t>(where);
  if (!Space::is_tracked(address)) {
    world_.fail("the lab cannot see this", "an atomic outside the tracked memory, at " + describe_site(site));
  }
  Cell& cell = *fresh(address);
  check_alive(self, cell, address, site);
  check_written(self, cell, address, byte_mask(address, size), "operates on", site);
  std::uint16_t index = cell.location[(address >> 2) & 1];
  while (index != 0 && locations_[index].address != address) index = locations_[index].next;
  Location& location = index != 0 ? locations_[index] : make_location(cell, address, size);
  location.touched.at[self.id] = self.clock.at[self.id];
  note_access(self, cell, location, writes);
  return location;
}

bool Memory::has_other_size(const void* where, unsigned size) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(where);
  const Cell& cell = *fresh(address);
  std::uint16_t index = cell.location[(address >> 2) & 1];
  while (index != 0 && locations_[index].address != address) index = locations_[index].next;
  return index != 0 && locations_[index].size != size;
}

// Two threads of which one writes: from now on an operation here is a schedule point, in this execution and all later
// ones of the exploration.
void Memory::note_access(const Fiber& self, Cell& cell, Location& location, bool writes) noexcept {
  const auto me = static_cast<std::uint8_t>(1u << self.id);
  const bool conflict = ((writes ? location.accessors : location.writers) & ~me) != 0;
  location.accessors = static_cast<std::uint8_t>(location.accessors | me);
  if (writes) location.writers = static_cast<std::uint8_t>(location.writers | me);
  if (!conflict || cell.shared_era == era_) return;
  cell.shared_era = era_;
  learned_ = true;
}

Location& Memory::make_location(Cell& cell, std::uintptr_t address, unsigned size) {
  if (location_count_ == kMaxLocations) world_.fail("the lab is too small", "more than 1023 atomics in use");
  const auto index = static_cast<std::uint16_t>(location_count_++);
  Location& location = locations_[index];
  std::uint16_t& first = cell.location[(address >> 2) & 1];
  location = Location{};
  location.address = address;
  location.size = static_cast<std::uint8_t>(size);
  location.next = first;
  first = index;
  std::uint64_t value = 0;
  std::memcpy(&value, reinterpret_cast<const void*>(address), size);
  location.write_hash = mix(address, value);
  for (std::size_t i = 0; i < watches.size(); ++i) {
    if (watches[i].address == address) location.watch = static_cast<std::uint8_t>(i + 1);
  }
  if (weak_) {
    Message& message = append(location);
    message.value = value;
    message.hash = location.write_hash;
  }
  return location;
}

void Memory::watch(const char* name, const void* where, std::uint64_t mask,
                   std::initializer_list<std::uint64_t> legal) {
  const auto address = reinterpret_cast<std::uintptr_t>(where);
  auto found = std::find_if(watches.begin(), watches.end(), [&](const Watch& watch) { return watch.name == name; });
  if (found == watches.end()) {
    const Outside outside(world_);
    found = watches.insert(watches.end(), {name, 0, mask, legal, {}});
  }
  found->address = address;
  // It may have been used before; what is made later finds its watch by itself.
  for (unsigned i = 1; i < location_count_; ++i) {
    if (locations_[i].address == address) locations_[i].watch = static_cast<std::uint8_t>(found - watches.begin() + 1);
  }
  std::uint64_t value = 0;
  std::memcpy(&value, where, mask > 0xffffffffu ? 8 : 4);
  note_state(*found, value);
}

}  // namespace lab::detail
