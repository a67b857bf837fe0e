// SPDX-License-Identifier: MIT
//
// What the library keeps for each thread. One plain block, so that a thread object may one day be carried by
// something other than an OS thread; only backend::per_thread() knows where it lives.
#pragma once

#include <cstdint>

#include <threading/detail/config.hpp>

namespace threading::inline v1::parking {
struct Waiter;
}

namespace threading::inline v1::detail {

// Names a living thread in a lock word. 30 bits, unique among living threads, never 0 (0: nobody, or a thread that
// has not needed a name yet).
using ThreadToken = std::uint32_t;

class ThreadState;
enum class ReleaseMode : std::uint32_t;
struct LocalSlots;
struct TraceState;

// What a thread knows of its own use of locks; see src/parking/rounds.hpp.
struct Rounds {
  const void* history = nullptr;  // where a measurement has begun; null: none has
  std::int64_t since = 0;         // when it began; monotonic_now() nanoseconds
  std::uint32_t released = 0;   // locks it has freed since, without those that others waited for; in blind modes always
  std::uint32_t contended = 0;  // locks that it got after it had to contend
};

// Invariant: trivially constructible and destructible; all zero is the valid initial state.
struct PerThread {
  ThreadToken token = 0;              // assigned on first need by thread_token()
  bool exit_hook_armed = false;       // platform: the thread-exit callback will run
  bool has_left = false;              // platform: it has run; who uses the library now is a late guest
  bool in_trace = false;              // trace: no events, a trace function is running or the thread is the library's
  bool exempt_from_freeze = false;    // threads: this thread runs the exit sequence
  std::uint32_t trace_epoch = 0;      // trace: which change of all threads' functions this thread has seen
  std::uint32_t exchanges_left = 0;   // parking: locks to free before the next look whether stores would do
  ReleaseMode trusted{};              // primitives: the blind mode in which it has last freed a lock; see lock_word.cpp
  const void* taken = nullptr;        // primitives: the lock it took last, if it has freed none in a blind mode since
  std::uint64_t ident = 0;            // threads: get_ident(), when it is not the OS's own
  ThreadState* thread = nullptr;      // threads: the Thread object of this thread, if any; owns one reference
  LocalSlots* locals = nullptr;       // threads: values of threading::local
  TraceState* trace = nullptr;        // trace: armed functions
  Rounds rounds;                      // parking: how long this thread does without a lock it has had
  parking::Waiter* asking = nullptr;  // parking: the wait whose hook this thread is running, the innermost of them
};

// Assigns a token to the calling thread. Cold: once per thread.
THREADING_API ThreadToken assign_thread_token(PerThread&) noexcept;

}  // namespace threading::inline v1::detail
