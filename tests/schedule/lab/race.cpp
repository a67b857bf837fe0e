// SPDX-License-Identifier: MIT
//
// The plain half of Memory: who touched which bytes last, what is freed, and which bytes hold an atomic. See race.hpp,
// too.
#include "race.hpp"

#include <algorithm>
#include <cstring>

#include "report.hpp"
#include "world.hpp"

namespace lab::detail {

namespace {

Site unpack(std::uint64_t packed) noexcept {
  if ((packed >> 63) == 0) return Site::at(reinterpret_cast<const void*>(packed));
  Site site;
  site.file = reinterpret_cast<const char*>(packed & 0xffffffffffu);
  site.line = static_cast<unsigned>((packed >> 40) & 0x7fffff);
  return site;
}

}  // namespace

void Memory::renew(Cell& cell, std::uintptr_t address) noexcept {
  const std::uint16_t shared_era = cell.shared_era;
  std::memset(static_cast<void*>(&cell), 0, sizeof(Cell));
  cell.shared_era = shared_era;
  cell.generation = generation_;
  if (address - Space::globals_begin < Space::globals_size()) {
    auto* const granule = reinterpret_cast<std::uint64_t*>(address & ~std::uintptr_t{7});
    if (undo_.size() == undo_.capacity()) world_.fail("the lab is too small", "too many globals touched");
    undo_.push_back({granule, *granule});
  }
}

void Memory::fail_freed(const Fiber& self, std::uintptr_t address, const Site& site) {
  world_.fail("freed memory", std::string(self.name) + " touches " + world_.describe(address) +
                                  ", which is freed, at " + describe_site(site));
}

// Another thread's stack: its frame must still be there.
void Memory::check_frame(const Fiber& self, std::uintptr_t address, const Site& site) {
  const Fiber& other = world_.fiber(Space::stack_owner(address));
  const void* const used = other.context.stack_pointer();
  const bool gone = other.state == RunState::absent || other.state == RunState::finished ||
                    (used != nullptr && address < reinterpret_cast<std::uintptr_t>(used));
  if (gone) {
    world_.fail("freed memory", std::string(self.name) + " touches a stack frame that " + other.name +
                                    " has left, at " + describe_site(site));
  }
}

void Memory::fail_unordered(const Fiber& self, const Cell& cell, std::uintptr_t address, const char* what,
                            const Site& site) {
  world_.fail("data race", std::string(self.name) + " " + what + " " + world_.describe(address) + " at " +
                               describe_site(site) + "\n  while nothing orders it after the write by " +
                               world_.fiber(cell.writer).name + " at " + describe_site(unpack(cell.write_pc)));
}

void Memory::check_read(const Fiber& self, const Cell& cell, std::uintptr_t address, unsigned mask, const char* what,
                        const Site& site) {
  for (unsigned i = 0; i < kMaxThreads; ++i) {
    if ((cell.read[i] & mask) == 0 || cell.read_clock[i] <= self.clock.at[i] || i == self.id) continue;
    world_.fail("data race", std::string(self.name) + " " + what + " " + world_.describe(address) + " at " +
                                 describe_site(site) + "\n  while nothing orders it after the read by " +
                                 world_.fiber(i).name + " at " + describe_site(unpack(cell.read_pc)));
  }
}

// Bytes that held an atomic hold something else, or a new atomic, from now on. Every operation on the old one must
// be ordered before.
void Memory::forget_locations(const Fiber& self, Cell& cell, std::uintptr_t address, unsigned mask, const char* what,
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
  Cell& cell = touch(address);
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
  const Cell& cell = touch(address);
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
