// SPDX-License-Identifier: MIT
//
// Who exists: the list of threads that are alive. Told in registry.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "threads/internal_lock.hpp"
#include "threads/thread_state.hpp"

namespace threading::inline v1::threads {

using detail::PerThread;
using detail::ThreadState;

// Guards the list, and of each state what thread_state.hpp says. Outer to the lot's locks, inner to all others.
// Nobody calls user code while holding it.
extern constinit InternalLock registry_lock;

// Requires for both: registry_lock is held.
void list(ThreadState& state) noexcept;
void unlist(ThreadState& state) noexcept;
// The first of the list after `state`, or of the whole list. Requires: registry_lock is held.
ThreadState* next_listed(const ThreadState* state) noexcept;
std::size_t listed_count() noexcept;

// The caller's state; makes a dummy for a thread that has none. Throws: std::bad_alloc.
ThreadState& current_state();
// Null for a foreign thread without a dummy. Knows the main thread.
ThreadState* current_state_if_any() noexcept;
ThreadState& main_state() noexcept;

// The number of the next default name.
std::uint64_t next_number() noexcept;
// Requires: registry_lock is held.
std::string name_of(const ThreadState& state);
// The name for the system's tools, without allocation. Called by the thread itself.
void name_this_thread(ThreadState& state) noexcept;

}  // namespace threading::inline v1::threads
