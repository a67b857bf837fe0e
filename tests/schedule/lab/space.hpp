// SPDX-License-Identifier: MIT
//
// The memory an execution may use: stacks, one heap per thread, and the program's own globals. All at fixed
// addresses (the program is linked without PIE), so that everything that depends on an address, such as the bucket
// a primitive falls into, is the same in every execution and in every replay. Globals that an execution touches are put
// back afterwards (Memory::undo()).
//
// Each 8-byte granule of it has a Cell that remembers who touched it last.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vector_clock.hpp"

namespace lab::detail {

struct alignas(64) Cell {
  std::uint32_t generation;  // the execution that the rest speaks of; any other: untouched
  std::uint8_t dead;         // freed in this execution
  std::uint8_t writer;
  std::uint8_t written;       // byte mask of the last write; 0: none
  std::uint8_t readers;       // bit mask of threads
  std::uint16_t location[2];  // atomic that starts in each half, as an index into the world's locations; 0: none
  std::int16_t write_clock;
  std::uint16_t shared_era;  // outlives executions: see Memory::is_shared()
  std::uint64_t write_pc;    // see Space::pack()
  std::int16_t read_clock[kMaxThreads];
  std::uint8_t read[kMaxThreads];  // byte masks
  std::uint64_t read_pc;
};
static_assert(sizeof(Cell) == 64);

class Space {
 public:
  // Where neither the program, its heap, its libraries nor its stack are ever put. The low bits differ from those of
  // any global, so that both fold into one table of cells.
  static constexpr std::uintptr_t kStacks = 0x600010000000;
  static constexpr std::size_t kStackSize = 0x40000;
  static constexpr std::size_t kGuardSize = 0x1000;
  static constexpr std::uintptr_t kHeaps = kStacks + 0x400000;
  static constexpr std::size_t kHeapSize = 0x100000;
  static constexpr std::uintptr_t kEnd = kHeaps + kMaxThreads * kHeapSize;
  static constexpr std::uintptr_t kShadow = 0x200000000000;
  static constexpr std::uintptr_t kFold = 0x1fffffff;

  // Maps everything. Ends the process with a message when the system refuses.
  static void map();

  // Whether executions may legally keep shared state at this address.
  static bool is_tracked(std::uintptr_t address) noexcept {
    return address - kStacks < kEnd - kStacks || address - globals_begin < globals_end - globals_begin;
  }
  // Whether nothing can be written there: a constant of the program.
  static bool is_constant(std::uintptr_t address) noexcept {
    return address - constants_begin < globals_begin - constants_begin;
  }
  static bool is_heap(std::uintptr_t address) noexcept { return address - kHeaps < kEnd - kHeaps; }
  static bool is_stack(std::uintptr_t address) noexcept { return address - kStacks < kMaxThreads * kStackSize; }
  static unsigned stack_owner(std::uintptr_t address) noexcept {
    return static_cast<unsigned>((address - kStacks) / kStackSize);
  }
  static Cell* cell(std::uintptr_t address) noexcept {
    return reinterpret_cast<Cell*>(kShadow + (address & kFold & ~std::uintptr_t{7}) * (sizeof(Cell) / 8));
  }
  static char* stack_bottom(unsigned thread) noexcept {
    return reinterpret_cast<char*>(kStacks + thread * kStackSize + kGuardSize);
  }
  static char* heap_bottom(unsigned thread) noexcept { return reinterpret_cast<char*>(kHeaps + thread * kHeapSize); }

  static std::size_t globals_size() noexcept { return globals_end - globals_begin; }

  static std::uintptr_t constants_begin;
  static std::uintptr_t globals_begin;  // the end of the constants, too
  static std::uintptr_t globals_end;
};

}  // namespace lab::detail
