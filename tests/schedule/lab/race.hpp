// SPDX-License-Identifier: MIT
//
// The plain half of Memory, as far as it lies in the way of every access: two accesses in three of an execution are
// plain, so that what they nearly always come to is inline, and the rest is in race.cpp. A place is a Site, or the
// return address that is all there is of one.
#pragma once

#include <algorithm>
#include <cstring>

#include "memory.hpp"

namespace lab::detail {

inline Site site_of(const void* pc) noexcept { return Site::at(pc); }
inline const Site& site_of(const Site& site) noexcept { return site; }

// A place in 64 bits: a return address as it is; a source position as its file pointer with the line in the upper
// bits (the program is linked below 2^31).
inline std::uint64_t pack(const void* pc) noexcept { return reinterpret_cast<std::uintptr_t>(pc); }
inline std::uint64_t pack(const Site& site) noexcept {
  if (site.file == nullptr) return pack(site.pc);
  return reinterpret_cast<std::uintptr_t>(site.file) | (static_cast<std::uint64_t>(site.line) << 40) |
         (std::uint64_t{1} << 63);
}

inline unsigned byte_mask(std::uintptr_t address, unsigned size) noexcept {
  return ((1u << size) - 1u) << (address & 7);
}

[[gnu::always_inline]] inline Cell& Memory::touch(std::uintptr_t address) noexcept {
  Cell& cell = *Space::cell(address);
  if (cell.generation != generation_) renew(cell, address);
  return cell;
}

template <class Place>
[[gnu::always_inline]] inline void Memory::check_alive(const Fiber& self, const Cell& cell, std::uintptr_t address,
                                                       const Place& place) {
  if (cell.dead != 0) fail_freed(self, address, site_of(place));
  if (Space::is_stack(address) && Space::stack_owner(address) != self.id) check_frame(self, address, site_of(place));
}

template <class Place>
[[gnu::always_inline]] inline void Memory::check_written(const Fiber& self, const Cell& cell, std::uintptr_t address,
                                                         unsigned mask, const char* what, const Place& place) {
  if ((cell.written & mask) == 0 || cell.writer == self.id) return;
  if (cell.write_clock <= self.clock.at[cell.writer]) return;
  fail_unordered(self, cell, address, what, site_of(place));
}

template <class Place>
[[gnu::always_inline]] inline void Memory::read_granule(const Fiber& self, std::uintptr_t address, unsigned mask,
                                                        const Place& place) {
  Cell& cell = touch(address);
  check_alive(self, cell, address, place);
  check_written(self, cell, address, mask, "reads", place);
  const std::int16_t clock = self.clock.at[self.id];
  if (cell.read_clock[self.id] != clock) cell.read[self.id] = 0;
  cell.read_clock[self.id] = clock;
  cell.read[self.id] = static_cast<std::uint8_t>(cell.read[self.id] | mask);
  cell.readers = static_cast<std::uint8_t>(cell.readers | 1u << self.id);
  cell.read_pc = pack(place);
}

template <class Place>
[[gnu::always_inline]] inline void Memory::write_granule(const Fiber& self, std::uintptr_t address, unsigned mask,
                                                         const char* what, const Place& place) {
  Cell& cell = touch(address);
  check_alive(self, cell, address, place);
  check_written(self, cell, address, mask, what, place);
  if ((cell.readers & ~(1u << self.id)) != 0) check_read(self, cell, address, mask, what, site_of(place));
  if ((cell.location[0] | cell.location[1]) != 0) forget_locations(self, cell, address, mask, what, site_of(place));
  cell.writer = self.id;
  cell.written = static_cast<std::uint8_t>(mask);
  cell.write_clock = self.clock.at[self.id];
  cell.write_pc = pack(place);
}

// Calls access(address, mask) for each granule of the bytes.
template <class Access>
void for_each_granule(std::uintptr_t address, std::size_t size, Access access) {
  while (size != 0) {
    const auto part = static_cast<unsigned>(std::min<std::size_t>(size, 8 - (address & 7)));
    access(address, byte_mask(address, part));
    address += part;
    size -= part;
  }
}

template <class Place>
[[gnu::noinline]] void Memory::read_granules(const Fiber& self, std::uintptr_t address, std::size_t size,
                                             const Place& place) {
  for_each_granule(address, size, [&](std::uintptr_t at, unsigned mask) { read_granule(self, at, mask, place); });
}

template <class Place>
[[gnu::noinline]] void Memory::write_granules(const Fiber& self, std::uintptr_t address, std::size_t size,
                                              const Place& place) {
  for_each_granule(address, size,
                   [&](std::uintptr_t at, unsigned mask) { write_granule(self, at, mask, "writes", place); });
}

// As a rule there is but one.
inline bool is_one_granule(std::uintptr_t address, std::size_t size) noexcept {
  return size - 1 < 8 && (address & 7) + size <= 8;
}

template <class Place>
[[gnu::always_inline]] inline void Memory::plain_read(const Fiber& self, std::uintptr_t address, std::size_t size,
                                                      const Place& place) {
  if (is_one_granule(address, size)) {
    read_granule(self, address, byte_mask(address, static_cast<unsigned>(size)), place);
  } else {
    read_granules(self, address, size, place);
  }
}

template <class Place>
[[gnu::always_inline]] inline void Memory::plain_write(const Fiber& self, std::uintptr_t address, std::size_t size,
                                                       const Place& place) {
  if (is_one_granule(address, size)) {
    write_granule(self, address, byte_mask(address, static_cast<unsigned>(size)), "writes", place);
  } else {
    write_granules(self, address, size, place);
  }
}

}  // namespace lab::detail
