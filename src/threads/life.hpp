// SPDX-License-Identifier: MIT
//
// A thread object from start() to its end: life.cpp tells of both, run.cpp of what is in between.
#pragma once

#include <threading/detail/lock_word.hpp>

#include "threads/thread_state.hpp"

namespace threading::inline v1::threads {

using detail::OsThreadState;
using detail::PerThread;
using detail::ThreadState;

bool is_started(const ThreadState& state) noexcept;
bool is_alive(const ThreadState& state) noexcept;

// Thread::start(). Throws as that.
void start(ThreadState& state);
// Makes it alive and listed. Requires: registry_lock is held.
// Throws: RuntimeError "threads can only be started once"; std::bad_alloc.
void begin(ThreadState& state);
// start() and its undoing for a thread whose OS thread a language runtime makes. begin() returns: false when it was
// started before.
bool begin_embedded(ThreadState& state) noexcept;
void take_back_embedded(ThreadState& state) noexcept;
// What every join checks first. Throws as Thread::join(). Stops a daemon thread when the process ends.
ThreadState& checked_for_join(const Thread& thread);
// Waits for the end. Requires: started, not the caller, not a dummy.
detail::WaitOutcome join(ThreadState& state, const detail::WaitOptions& options);
// Frees what is left of an OS thread that nobody has joined. Called with the last reference.
void reap(OsThreadState& state) noexcept;

// What runs on the OS thread of a Thread; the argument is its state.
void* thread_main(void* argument);
// The first thing in a thread: makes `state` its current_thread(), known to waiters and, by name, to the system's
// tools.
void enter(PerThread& self, ThreadState& state) noexcept;
// The same for a thread of a language runtime, which names it as it likes.
void enter_embedded(PerThread& self, ThreadState& state) noexcept;
// The same for a thread of a pool, which has a name already: only a name that somebody chose is shown instead, if
// `is_named`.
void enter_pooled(PerThread& self, ThreadState& state, NativeId native_id, bool is_named) noexcept;
// Destroys the thread's values of threading::local. The end of an OS thread does it by itself.
void end_locals(PerThread& self) noexcept;
// The body, with everything that leaves it reported, but for a forced unwind, which goes on.
void run_body(ThreadState& state);
void destroy_body(ThreadState& state) noexcept;

// The thread is over and there is no OS thread to wait for: lets joiners go. Returns: false if it was over already.
bool finish(ThreadState& state) noexcept;

// The size of the stack that start() would give it. Bytes; 0: the system's default.
std::size_t stack_size_of(const OsThreadState& state) noexcept;

// Counts the forks that made this process: a thread that was started before the last one is over.
std::uint32_t fork_count() noexcept;
// In the child: counts, and keeps `survivor`, the caller's state, alive as the main thread.
void note_fork(ThreadState& survivor) noexcept;
// Makes a state that no start() precedes alive: a dummy, the main thread.
void begin_alive(ThreadState& state) noexcept;

// Lets those know who wait for the native id.
void tell_native_id(ThreadState& state, std::uint32_t id) noexcept;
// A start has failed: nobody will tell. Whoever waits looks again.
void take_back_native_id(ThreadState& state) noexcept;
// The native id, waited for if the thread is just being started; 0: none yet.
NativeId native_id(ThreadState& state) noexcept;

}  // namespace threading::inline v1::threads
