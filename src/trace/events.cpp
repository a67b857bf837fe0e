// SPDX-License-Identifier: MIT
//
// From an event to the thread's functions, and the events of the library's own.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <typeinfo>
#include <utility>

#include <threading/trace.hpp>

#include "base/hooks.hpp"
#include "trace/names.hpp"
#include "trace/trace_state.hpp"

namespace threading::inline v1 {
namespace trace {
namespace {

using detail::PerThread;
using detail::TraceState;

constexpr unsigned bit(TraceEvent::Kind kind) noexcept { return 1u << kind; }
constexpr unsigned kOfTrace =
    bit(TraceEvent::call) | bit(TraceEvent::return_) | bit(TraceEvent::line) | bit(TraceEvent::exception);
constexpr unsigned kOfProfile =
    bit(TraceEvent::call) | bit(TraceEvent::return_) | bit(TraceEvent::c_call) | bit(TraceEvent::c_return);

// The identity and name of the events around run().
constexpr detail::TraceSite kThreadRun{"Thread.run", nullptr, 0};

void report(const char* which, const char* type, const char* text) noexcept {
  std::fprintf(stderr, "threading: the %s function of a thread raised %s%s%s and is removed\n", which, type,
               *text == '\0' ? "" : ": ", text);
}

// Requires: called from a handler.
void report_current_exception(const char* which) noexcept {
  try {
    throw;
  } catch (const std::exception& error) {
    char* const name = demangled(typeid(error).name());
    report(which, name != nullptr ? name : typeid(error).name(), error.what());
    std::free(name);
  } catch (...) {
    report(which, "something that is no std::exception", "");
  }
}

void run(TraceState& state, FunctionPtr TraceState::*which, const TraceEvent& event) noexcept {
  const TraceFunction* const function = (state.*which).get();
  if (function == nullptr) return;
  state.running = true;
  try {
    (*function)(event);
    state.running = false;
  } catch (...) {
    state.running = false;
    report_current_exception(which == &TraceState::trace ? "trace" : "profile");
    (state.*which).reset();
  }
  state.replaced.clear();
}

// hand_over() for the library's own code, which is not instrumented.
void emit(const TraceEvent& event) noexcept {
  PerThread& self = detail::backend::per_thread();
  if (detail::is_traced(self)) detail::hand_over(self, event);
}

// The library's own threads have no events: they only wait, and user code is none of their business.
void block_begins(const WaitKind& kind) noexcept {
  if (kind.is_internal) return;
  emit({.kind = TraceEvent::c_call, .function = &kind, .known_name = kind.name});
}
void block_ends(const WaitKind& kind) noexcept {
  if (kind.is_internal) return;
  emit({.kind = TraceEvent::c_return, .function = &kind, .known_name = kind.name});
}
void thread_starts() noexcept {
  PerThread& self = detail::backend::per_thread();
  {
    const Untraced quiet(self);
    arm_new_thread(self);
  }
  emit({.kind = TraceEvent::call, .function = &kThreadRun, .known_name = kThreadRun.function});
}
void thread_ends() noexcept {
  emit({.kind = TraceEvent::return_, .function = &kThreadRun, .known_name = kThreadRun.function});
}

}  // namespace

// release pairs with base::call().
void fill_slots() noexcept {
  base::hooks.block_begins.store(&block_begins, std::memory_order_release);
  base::hooks.block_ends.store(&block_ends, std::memory_order_release);
  base::hooks.thread_starts.store(&thread_starts, std::memory_order_release);
  base::hooks.thread_ends.store(&thread_ends, std::memory_order_release);
}

}  // namespace trace

namespace detail {

void deliver(PerThread& self, const TraceEvent& event) noexcept {
  const int error = errno;
  // relaxed: catch_up() takes the lock.
  if (self.trace_epoch != trace_epoch.load(std::memory_order_relaxed)) trace::catch_up(self);
  // The state stays while functions run: they can only replace what is in it.
  if (TraceState* const state = self.trace) {
    if ((trace::kOfTrace & trace::bit(event.kind)) != 0) trace::run(*state, &TraceState::trace, event);
    if ((trace::kOfProfile & trace::bit(event.kind)) != 0) trace::run(*state, &TraceState::profile, event);
    trace::drop_if_empty(self);
  }
  errno = error;
}

namespace {
TraceEvent event_of(TraceEvent::Kind kind, const TraceSite& site, const void* caller) noexcept {
  return {.kind = kind,
          .function = &site,
          .call_site = caller,
          .known_name = site.function,
          .known_file = site.file,
          .known_line = site.line};
}
}  // namespace

void scope_begins(const TraceSite& site, const void* caller) noexcept {
  hand_over(backend::per_thread(), event_of(TraceEvent::call, site, caller));
}
void scope_ends(const TraceSite& site, const void* caller) noexcept {
  hand_over(backend::per_thread(), event_of(TraceEvent::return_, site, caller));
}

}  // namespace detail
}  // namespace threading::inline v1
