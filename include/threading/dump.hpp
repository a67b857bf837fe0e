// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include <threading/detail/config.hpp>
#include <threading/detail/deadline.hpp>
#include <threading/thread.hpp>

namespace threading::inline v1 {

// What a thread waits for.
struct WaitInfo {
  std::string kind;              // "Lock", "Event", "Thread" …
  const void* object = nullptr;  // where it is
  std::int64_t since = 0;        // when the wait began, in nanoseconds of std::chrono::steady_clock
  Deadline deadline = Deadline::never();
  std::string held_by;  // the name of the thread that holds the object; empty: nobody, or unknown
};

// One thread at the moment it was looked at.
struct ThreadInfo {
  enum class State : std::uint8_t {
    running,  // or waiting for something that is none of the library's objects
    waiting,  // in a blocking call of the library: `wait` says for what
    pending,  // a Timer that has not fired: `wait` has its deadline
  };

  std::string name;  // of a thread without a Thread object: "foreign thread"
  std::optional<Ident> ident;
  std::optional<NativeId> native_id;
  bool daemon = false;
  bool has_object = true;  // false: a foreign thread that never called current_thread(); it shows while it waits
  State state = State::running;
  std::optional<WaitInfo> wait;
};

// Every thread that the library knows: those of enumerate(), then foreign ones that wait. Each thread is exact at its
// own moment; together they are no snapshot of one moment.
THREADING_API std::vector<ThreadInfo> snapshot();

// snapshot() as text for people, one paragraph a thread. The format may change.
THREADING_API void dump(std::ostream& out);

}  // namespace threading::inline v1
