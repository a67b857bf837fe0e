// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace threading::inline v1::platform {

// The rooms with process-wide state, in the order in which a forked child is put right: lowest first.
enum class ForkRoom : std::uint8_t { parking, threads, timer, trace, embedder };
inline constexpr int kForkRooms = 5;

// What a room does around fork(). All run in the forking thread; any may be null.
struct ForkHandlers {
  void (*prepare)() noexcept = nullptr;  // before, highest room first: take the room's lock
  void (*parent)() noexcept = nullptr;   // after, in the parent: give it back
  void (*child)() noexcept = nullptr;    // after, in the child: one thread is left, reset everything
};

// Fills the room's slot; the first call registers with the system, once for the whole library.
void on_fork(ForkRoom room, const ForkHandlers& handlers) noexcept;

}  // namespace threading::inline v1::platform
