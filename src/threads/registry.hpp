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

using detail::OsThreadState;
using detail::PerThread;
using detail::ThreadState;

// Guards the list, of each state what thread_state.hpp says, and all of the room of timers. Outer to the lot's locks,
// inner to all others. Nobody calls user code while holding it.
extern constinit InternalLock registry_lock;

// Guarded by registry_lock.
struct Registry {
  ThreadState* first = nullptr;
  ThreadState* last = nullptr;
  std::size_t count = 0;
};
extern constinit Registry registry;

// Requires for all of these: registry_lock is held.

// Puts it behind all others.
inline void list(ThreadState& state) noexcept {
  state.next = nullptr;
  state.previous = registry.last;
  (registry.last != nullptr ? registry.last->next : registry.first) = &state;
  registry.last = &state;
  state.is_listed = true;
  ++registry.count;
}
// Taking it out, in two steps: from hide() on nobody finds it, and unlink() may follow later.
inline void hide(ThreadState& state) noexcept {
  state.is_listed = false;
  --registry.count;
}
inline void unlink(ThreadState& state) noexcept {
  (state.previous != nullptr ? state.previous->next : registry.first) = state.next;
  (state.next != nullptr ? state.next->previous : registry.last) = state.previous;
}
inline void unlist(ThreadState& state) noexcept {
  if (!state.is_listed) return;
  unlink(state);
  hide(state);
}
// The first of the list after `state`, or of the whole list.
inline ThreadState* next_listed(const ThreadState* state) noexcept {
  ThreadState* next = state == nullptr ? registry.first : state->next;
  while (next != nullptr && !next->is_listed) next = next->next;
  return next;
}
inline std::size_t listed_count() noexcept { return registry.count; }

ThreadState& make_current_state();
// The caller's state; makes a dummy for a thread that has none. Throws: std::bad_alloc.
inline ThreadState& current_state() {
  ThreadState* const state = detail::backend::per_thread().thread;
  return state != nullptr ? *state : make_current_state();
}
// Null for a foreign thread without a dummy. Knows the main thread.
ThreadState* current_state_if_any() noexcept;
ThreadState& main_state() noexcept;

extern constinit detail::backend::atomic<std::uint64_t> last_number;
// The number of the next default name.
inline std::uint64_t next_number() noexcept {
  return last_number.fetch_add(1, std::memory_order_relaxed) + 1;  // relaxed: a number and nothing else
}
// The ident of a thread that was started; 0 or some number before.
Ident ident_of(const ThreadState& state) noexcept;

// Requires for all: registry_lock is held. The first two make what is not there yet, and throw std::bad_alloc.
detail::Extras& extras_of(ThreadState& state);
detail::backend::stop_source& stop_source_of(ThreadState& state);
bool has_name(const ThreadState& state) noexcept;  // chosen by somebody
std::string name_of(const ThreadState& state);
// The name for the system's tools, without allocation. Called by the thread itself.
void name_this_thread(ThreadState& state) noexcept;

}  // namespace threading::inline v1::threads
