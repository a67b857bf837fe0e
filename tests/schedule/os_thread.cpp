// SPDX-License-Identifier: MIT
//
// What src/platform/os_thread.cpp is to the real world, for the lab.
#include "platform/os_thread.hpp"

#include <algorithm>

#include "schedule/lab/lab.hpp"

namespace threading::inline v1::platform {
namespace {

constexpr std::uint64_t kIdentStep = 0x1000;

}  // namespace

// As in the real world, an ident is used again at once.
bool start_os_thread(OsThread& thread, OsThreadMain main, void* argument, std::size_t) noexcept {
  lab::Thread made;
  if (!lab::try_spawn(
          "thread", [=] { main(argument); }, made))
    return false;
  thread.handle = (made.id() + 1) * kIdentStep;
  return true;
}

void join_os_thread(const OsThread& thread) noexcept {
  lab::Thread(static_cast<unsigned>(thread.handle / kIdentStep - 1)).join();
}

void leave_os_thread(const OsThread&) noexcept { lab::run_in_background(); }

// Only the pool of the timers has such threads. Nobody waits for what they still do.
bool start_detached_os_thread(OsThreadMain main) noexcept {
  lab::Thread made;
  return lab::try_spawn(
      "thread",
      [=] {
        lab::run_in_background();
        main(nullptr);
      },
      made);
}

std::uint64_t os_ident() noexcept { return (lab::thread_id() + 1) * kIdentStep; }
std::int32_t os_native_id() noexcept { return static_cast<std::int32_t>(lab::thread_id() + 100); }
std::int32_t new_thread_native_id() noexcept { return os_native_id(); }
bool is_initial_thread() noexcept { return lab::is_initial_thread(); }

void name_os_thread(std::string_view name) noexcept {
  char text[16] = {};
  name.copy(text, sizeof text - 1);
  lab::rename_thread(text);
}

std::size_t round_stack_size(std::size_t bytes) noexcept { return bytes; }
void want_exact_timers() noexcept {}
void sleep_for_ever() noexcept { lab::sleep_for_ever(); }

}  // namespace threading::inline v1::platform
