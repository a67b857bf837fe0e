// SPDX-License-Identifier: MIT
//
// What produces events, seen from the code that is traced: one test that is all there is while nobody traces, and the
// way in. Everything inline here may end up in a program whose own functions are instrumented, so it is kept from
// being instrumented itself, and calls nothing that could be, before PerThread::in_trace stops the recursion.
#pragma once

#include <cstdint>

#include <threading/detail/backend.hpp>

// On a function: it never produces events, however the program is compiled.
#if defined(__clang__)
#define THREADING_UNTRACED __attribute__((no_instrument_function, xray_never_instrument, no_sanitize("coverage")))
#elif defined(__GNUC__)
#define THREADING_UNTRACED __attribute__((no_instrument_function, no_sanitize_coverage))
#else
#define THREADING_UNTRACED
#endif

namespace threading::inline v1 {
struct TraceEvent;
}

namespace threading::inline v1::detail {

// How often the functions of all threads were changed; a thread that has seen less looks them up at its next event.
THREADING_API extern constinit backend::atomic<std::uint32_t> trace_epoch;

// Whether the thread has functions, or may get some now.
THREADING_UNTRACED __attribute__((always_inline)) inline bool is_traced(const PerThread& self) noexcept {
  // relaxed: a thread that sees the change later gets its functions later; the functions come under a lock.
  return self.trace != nullptr || self.trace_epoch != trace_epoch.load(std::memory_order_relaxed);
}

// Runs the thread's functions. Requires: self is the calling thread's block, and its in_trace is set by the caller.
THREADING_API THREADING_UNTRACED void deliver(PerThread& self, const TraceEvent& event) noexcept;

// The whole of a hook: nothing when nobody listens or a function is running on this thread already.
THREADING_UNTRACED __attribute__((always_inline)) inline void hand_over(PerThread& self,
                                                                        const TraceEvent& event) noexcept {
  if (self.in_trace) return;
  self.in_trace = true;
  deliver(self, event);
  self.in_trace = false;
}

// A function that says itself what it is called. One static object per place.
struct TraceSite {
  const char* function;  // as __PRETTY_FUNCTION__ spells it
  const char* file;
  int line;
};

THREADING_API THREADING_COLD THREADING_UNTRACED void scope_begins(const TraceSite& site, const void* caller) noexcept;
THREADING_API THREADING_COLD THREADING_UNTRACED void scope_ends(const TraceSite& site, const void* caller) noexcept;

// A call event now, a return event when the scope ends, however it ends.
class [[nodiscard]] TraceScope {
 public:
  THREADING_UNTRACED TraceScope(const TraceSite& site, const void* caller) noexcept : site_(site), caller_(caller) {
    if (is_traced(backend::per_thread())) [[unlikely]]
      scope_begins(site_, caller_);
  }
  THREADING_UNTRACED ~TraceScope() {
    if (is_traced(backend::per_thread())) [[unlikely]]
      scope_ends(site_, caller_);
  }
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;

 private:
  const TraceSite& site_;
  const void* caller_;
};

// Something linked into the program that produces events. The object is static and belongs to the source.
struct TraceSource {
  const char* name;
  unsigned kinds;               // bit n: delivers kind n
  void (*activate)() noexcept;  // once somebody traces; may run several times; null: nothing to do
  TraceSource* next = nullptr;  // the list's
};
THREADING_API THREADING_UNTRACED void add_trace_source(TraceSource& source) noexcept;

}  // namespace threading::inline v1::detail
