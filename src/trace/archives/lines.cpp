// SPDX-License-Identifier: MIT
//
// threadingpp::trace_lines: what code compiled with -fsanitize-coverage=trace-pc calls at the beginning of each basic
// block. A block is no line: it may hold several, and a line several blocks. Compiled as instrument.cpp says.
#include <threading/trace.hpp>

namespace {

using namespace threading;

constinit detail::TraceSource source{"lines", 1u << TraceEvent::line, nullptr};
[[maybe_unused]] const bool added = (detail::add_trace_source(source), true);

}  // namespace

extern "C" THREADING_API THREADING_UNTRACED void __sanitizer_cov_trace_pc() {
  detail::PerThread& self = detail::backend::tls_per_thread;
  if (!detail::is_traced(self)) [[likely]]
    return;
  detail::hand_over(self, {.kind = TraceEvent::line, .call_site = __builtin_return_address(0)});
}
