// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "platform/crowd.hpp"

namespace threading::inline v1::platform {

// An OS thread that this library created. A plain value: exactly one of join_os_thread(), called by another thread, and
// leave_os_thread(), called by the thread itself, ends each.
struct OsThread {
  std::uint64_t handle = 0;
  std::uint32_t stack = 0;  // a slot of thread_stack.hpp; 0: the C library's
};

// What runs in it. An exception must not leave it; a forced unwind (pthread_exit, cancellation) may.
using OsThreadMain = void* (*)(void* argument);

// Returns: false when the system has no thread to give. `thread` is written before this returns, not before `main`
// runs. `stack_size`: bytes, as round_stack_size() gave them; 0: the system's default.
[[nodiscard]] bool start_os_thread(OsThread& thread, OsThreadMain main, void* argument,
                                   std::size_t stack_size) noexcept;
// What joiners have met that offered their processor, here or elsewhere. A thread that took an offer and ran for long
// itself looks the same: the next joins sleep at once, which costs little beside such threads.
inline constinit Crowd crowd_of_joiners;
// Waits until it is gone. Requires: another thread than the caller. Not a cancellation point.
void join_os_thread(const OsThread& thread) noexcept;
// By the thread itself: nobody will join it.
void leave_os_thread(const OsThread& self) noexcept;
// A thread that nobody joins from the beginning. Returns: false when the system has no thread to give.
[[nodiscard]] bool start_detached_os_thread(OsThreadMain main) noexcept;

// The calling thread's ident as Python's get_ident() tells it: pthread_self().
std::uint64_t os_ident() noexcept;
std::int32_t os_native_id() noexcept;
// The same from what the C library noted when it made the thread. Requires: the caller is a new thread of this library.
std::int32_t new_thread_native_id() noexcept;
// Whether the caller is the thread that the process began with, or the one that is left after a fork.
bool is_initial_thread() noexcept;

// Names the calling thread for the system's tools: at most 15 bytes, cut between characters of UTF-8.
void name_os_thread(std::string_view name) noexcept;

// A stack size in whole pages, not smaller than the system allows, nor larger than any object.
std::size_t round_stack_size(std::size_t bytes) noexcept;

// Asks for timers as exact as the system has them, for the calling thread.
void want_exact_timers() noexcept;

// Sleeps until the process ends.
[[noreturn]] void sleep_for_ever() noexcept;

}  // namespace threading::inline v1::platform
