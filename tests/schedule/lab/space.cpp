// SPDX-License-Identifier: MIT
#include "space.hpp"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>

// Set by the linker: the end of the code, which constants follow (with GNU ld), and what is around .data and .bss.
extern "C" char etext;
extern "C" char __data_start;
extern "C" char _end;

namespace lab::detail {

std::uintptr_t Space::constants_begin = 0;
std::uintptr_t Space::globals_begin = 0;
std::uintptr_t Space::globals_end = 0;

namespace {

void map_at(std::uintptr_t address, std::size_t size) {
  void* const wanted = reinterpret_cast<void*>(address);
  void* const got = mmap(wanted, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (got == wanted) return;
  std::perror("schedule lab: cannot map its memory at a fixed address");
  std::exit(2);
}

}  // namespace

void Space::map() {
  constants_begin = reinterpret_cast<std::uintptr_t>(&etext);
  globals_begin = reinterpret_cast<std::uintptr_t>(&__data_start) & ~std::uintptr_t{63};
  globals_end = (reinterpret_cast<std::uintptr_t>(&_end) + 63) & ~std::uintptr_t{63};
  if (globals_end > (kStacks & kFold)) {
    std::fputs("schedule lab: link it without PIE, so that its globals lie low\n", stderr);
    std::exit(2);
  }
  map_at(kStacks, kEnd - kStacks);
  map_at(kShadow, (kEnd & kFold) * (sizeof(Cell) / 8));
  for (unsigned i = 0; i < kMaxThreads; ++i) {
    mprotect(stack_bottom(i) - kGuardSize, kGuardSize, PROT_NONE);
  }
}

}  // namespace lab::detail
