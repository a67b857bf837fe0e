// SPDX-License-Identifier: MIT
#pragma once

namespace threading::inline v1::threads {

// Sees to it that exit() waits for threads. Called by start(), before there is one.
void wait_for_threads_at_exit();

// Whether the process has waited for its threads already, and daemon threads are stopped.
bool is_frozen() noexcept;
// Stops the caller for ever if it is a daemon thread and the process is ending. The thread functions call it; the lot
// calls the same through its hook.
void stop_if_frozen() noexcept;

// Runs before the threads are waited for, last registered first.
// Throws: RuntimeError "can't register atexit after shutdown".
void add_shutdown_callback(void (*callback)());

}  // namespace threading::inline v1::threads
