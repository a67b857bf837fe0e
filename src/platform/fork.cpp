// SPDX-License-Identifier: MIT
#include "platform/fork.hpp"

#include <pthread.h>

#include "base/check.hpp"
#include "platform/futex.hpp"

namespace threading::inline v1::platform {
namespace {

// Written during initialisation only (each room's static initialiser, or the first use of a room by one thread).
constinit ForkHandlers rooms[kForkRooms];

void call(void (*handler)() noexcept) noexcept {
  if (handler != nullptr) handler();
}

void prepare() noexcept {
  for (int room = kForkRooms; room-- > 0;) call(rooms[room].prepare);
}
void parent() noexcept {
  for (const ForkHandlers& room : rooms) call(room.parent);
}
void child() noexcept {
  forget_room_for_sleepers();
  for (const ForkHandlers& room : rooms) call(room.child);
}

}  // namespace

void on_fork(ForkRoom room, const ForkHandlers& handlers) noexcept {
  static const bool registered = [] {
    THREADING_INVARIANT(pthread_atfork(&prepare, &parent, &child) == 0, "fork handlers can be registered");
    return true;
  }();
  static_cast<void>(registered);
  rooms[static_cast<int>(room)] = handlers;
}

}  // namespace threading::inline v1::platform
