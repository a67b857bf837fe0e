// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace threading::inline v1::platform {

// A stack from the library's own store: see thread_stack.cpp.
struct ThreadStack {
  std::uint32_t slot = 0;  // 0: none
  void* lowest = nullptr;  // above the guard
  std::size_t size = 0;
};

// Returns: none when the store is exhausted, the system has no memory, or the sizes are not worth keeping; the C
// library finds a stack then. `size`, `guard`: bytes, whole pages.
ThreadStack take_stack(std::size_t size, std::size_t guard) noexcept;
// Nobody uses the stack any more: its thread was joined, or never started.
void give_back_stack(std::uint32_t slot) noexcept;
// By the thread itself that runs on it, which nobody will join: to be used again once the kernel has let go of it.
void leave_stack(std::uint32_t slot, std::int32_t native_id) noexcept;

}  // namespace threading::inline v1::platform
