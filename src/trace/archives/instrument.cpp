// SPDX-License-Identifier: MIT
//
// threadingpp::trace_instrument: what code compiled with -finstrument-functions calls at the beginning and end of each
// function. GCC calls the second also when an exception leaves the function; Clang does not.
//
// Compiled with optimisation in every build, so that nothing inline is left to call: the linker might take the copy of
// an inline function that the program was instrumented with, and the hook would call itself.
#include <threading/trace.hpp>

namespace {

using namespace threading;

THREADING_UNTRACED __attribute__((always_inline)) inline void emit(TraceEvent::Kind kind, const void* function,
                                                                   const void* caller) noexcept {
  detail::PerThread& self = detail::backend::tls_per_thread;
  if (!detail::is_traced(self)) [[likely]]
    return;
  detail::hand_over(self, {.kind = kind, .function = function, .call_site = caller});
}

constinit detail::TraceSource source{"instrument", 1u << TraceEvent::call | 1u << TraceEvent::return_, nullptr};
[[maybe_unused]] const bool added = (detail::add_trace_source(source), true);

}  // namespace

extern "C" {

THREADING_API THREADING_UNTRACED void __cyg_profile_func_enter(void* function, void* caller) {
  emit(TraceEvent::call, function, caller);
}
THREADING_API THREADING_UNTRACED void __cyg_profile_func_exit(void* function, void* caller) {
  emit(TraceEvent::return_, function, caller);
}

}  // extern "C"
