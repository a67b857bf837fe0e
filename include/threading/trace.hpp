// SPDX-License-Identifier: MIT
//
// Python's settrace() and setprofile(). No interpreter produces events in C++, so they come from what the program opts
// into: the library itself, THREADING_TRACE_SCOPE(), the compiler's instrumentation. docs/guide/tracing.md tells how
// each is turned on; events_available() tells what this program has.
//
// A trace function gets call, return_, line and exception events; a profile function call, return_, c_call and
// c_return, as in Python. For each event the trace function runs first.
//
// Rules for both kinds of functions
//  - They run in the thread that caused the event, at the place that caused it, and no event is produced by that thread
//    meanwhile. errno is kept. A function set for several threads runs in them at the same time.
//  - An exception that leaves one is reported on stderr and ends tracing by it in that thread; it goes no further.
//  - They must not wait for what the interrupted code may hold: a wait's c_call comes while its caller holds locks.
//  - A function may change or remove itself; a removed one is destroyed when it has returned.
//  - None runs any more once the thread's thread-local objects are being destroyed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include <threading/detail/config.hpp>
#include <threading/detail/trace_hook.hpp>

namespace threading::inline v1 {

// A place in the source text. `file` is empty and `line` 0 when the program has no debugging information for it.
struct SourcePlace {
  std::string_view file;
  int line = 0;
};

// What happened. A plain value that may be kept: what its members return stays valid as long as the program runs and no
// shared object it came from is unloaded.
struct TraceEvent {
  enum Kind : std::uint8_t {
    call,       // a function is entered
    return_,    // and left, also by an exception where the source says so
    line,       // another stretch of code begins; approximate
    exception,  // an exception is thrown
    c_call,     // a call of this library begins to block
    c_return,   // and is over
  };
  Kind kind;
  // What identifies the function: its address; for a scope or an event of the library the address of a static object.
  // Null for line and exception.
  const void* function = nullptr;
  // Where it was called from (call, return_: the address it returns to; for an inlined function, its caller does),
  // where the line begins, where the exception is thrown. Null if the source does not tell.
  const void* call_site = nullptr;
  const std::type_info* exception_type = nullptr;  // exception only
  // What the source said itself, instead of leaving it to be looked up.
  const char* known_name = nullptr;
  const char* known_file = nullptr;
  int known_line = 0;

  // The function's name without its return type: "Downloader::run()"; for line and exception that of the function
  // around it; for the library's own events what is waited for ("Lock", "Event") or "Thread.run". Looked up when first
  // asked for and kept: the first time in a program takes tens of milliseconds. An address if nothing better is known.
  THREADING_API THREADING_UNTRACED std::string_view name() const;
  // Where the function begins; for line and exception the place itself; nothing for the library's own events.
  THREADING_API THREADING_UNTRACED SourcePlace where() const;
  // Where it was called from.
  THREADING_API THREADING_UNTRACED SourcePlace called_from() const;
  // The name of the exception's type; empty for other events.
  THREADING_API THREADING_UNTRACED std::string exception_name() const;
};

// As Python calls it: "call", "return", "line", "exception", "c_call", "c_return".
THREADING_API THREADING_UNTRACED std::string_view to_string(TraceEvent::Kind kind) noexcept;

using TraceFunction = std::function<void(const TraceEvent&)>;
using ProfileFunction = std::function<void(const TraceEvent&)>;

// The function of every thread that is started afterwards, armed before its run(), the trace function first. Threads
// that run already keep what they have. An empty function: none. Python differences: a Timer gets what is set when it
// fires, not when it was started.
THREADING_API THREADING_UNTRACED void settrace(TraceFunction function);
THREADING_API THREADING_UNTRACED void setprofile(ProfileFunction function);
// What was set last by the functions above or below.
THREADING_API THREADING_UNTRACED TraceFunction gettrace();
THREADING_API THREADING_UNTRACED ProfileFunction getprofile();

// The same, and for every thread that runs already: for the calling one at once, for another from its next event on.
// Until then that thread may still be running what it had. Python differences: a thread that this library did not start
// takes part from its first event on, also when it is started afterwards.
THREADING_API THREADING_UNTRACED void settrace_all_threads(TraceFunction function);
THREADING_API THREADING_UNTRACED void setprofile_all_threads(ProfileFunction function);

// The function of the calling thread only.
namespace sys {
THREADING_API THREADING_UNTRACED void settrace(TraceFunction function);
THREADING_API THREADING_UNTRACED void setprofile(ProfileFunction function);
THREADING_API THREADING_UNTRACED TraceFunction gettrace();
THREADING_API THREADING_UNTRACED ProfileFunction getprofile();
}  // namespace sys

// Which kinds of events the running program can deliver, in the order of Kind. call and return_ are always among them,
// for threads and marked scopes; whether functions are instrumented too is told by trace_sources().
THREADING_API THREADING_UNTRACED std::vector<TraceEvent::Kind> events_available();
// What delivers them: "library" and, of those linked in, "instrument", "xray", "throw", "lines"; sorted.
THREADING_API THREADING_UNTRACED std::vector<std::string_view> trace_sources();

}  // namespace threading::inline v1

#define THREADING_TRACE_JOIN_(a, b) a##b
#define THREADING_TRACE_NAME_(stem, line) THREADING_TRACE_JOIN_(stem, line)

// As a statement at the beginning of a function: a call event, and a return_ event when the enclosing block is left, by
// an exception too. Costs a few loads while nobody traces.
#define THREADING_TRACE_SCOPE()                                                                           \
  static constexpr ::threading::detail::TraceSite THREADING_TRACE_NAME_(threading_trace_site_, __LINE__){ \
      __PRETTY_FUNCTION__, __FILE__, __LINE__};                                                           \
  const ::threading::detail::TraceScope THREADING_TRACE_NAME_(threading_trace_scope_, __LINE__)(          \
      THREADING_TRACE_NAME_(threading_trace_site_, __LINE__), __builtin_return_address(0))
