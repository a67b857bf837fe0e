// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <threading/detail/backend.hpp>

namespace threading::inline v1::threads {

// Written by shutdown.cpp alone.
struct Shutdown {
  // A word, not a byte: on RISC-V, GCC calls another library for an exchange of one byte.
  detail::backend::atomic<std::uint32_t> is_armed{0};  // the exit handler is registered, or somebody is about to
  detail::backend::atomic<bool> is_frozen{false};
};
extern constinit Shutdown shutdown_state;

void arm_shutdown();
void stop_if_daemon() noexcept;

// Sees to it that exit() waits for threads. Called by start(), before there is one.
inline void wait_for_threads_at_exit() {
  // relaxed: only one may register; nobody waits for it to have done so.
  if (shutdown_state.is_armed.load(std::memory_order_relaxed) == 0) arm_shutdown();
}

// Whether the process has waited for its threads already, and daemon threads are stopped.
inline bool is_frozen() noexcept {
  return shutdown_state.is_frozen.load(std::memory_order_relaxed);  // relaxed: it says all that there is to know
}
// Stops the caller for ever if it is a daemon thread and the process is ending. The thread functions call it.
inline void stop_if_frozen() noexcept {
  if (is_frozen()) stop_if_daemon();
}

// Runs before the threads are waited for, last registered first.
// Throws: RuntimeError "can't register atexit after shutdown".
void add_shutdown_callback(void (*callback)());

}  // namespace threading::inline v1::threads
