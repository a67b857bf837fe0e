// SPDX-License-Identifier: MIT
//
// threadingpp::trace_xray: events from code that Clang compiled with -fxray-instrument. Functions begin and end with
// room for a call, which is patched in when somebody traces for the first time; before, it costs a jump. No event when
// an exception leaves a function. The runtime is part of the executable, so only that is traced, no shared library.
//
// The runtime's interface is declared here, so that the archive can be built by any compiler. Compiled as
// instrument.cpp says.
#include <cstddef>
#include <cstdint>

#include <threading/trace.hpp>

extern "C" {
int __xray_set_handler(void (*handler)(std::int32_t, int));
int __xray_patch();
std::size_t __xray_max_function_id();
std::uintptr_t __xray_function_address(std::int32_t id);
}

namespace {

using namespace threading;

constexpr int kEntry = 0;
constexpr int kExit = 1;
constexpr int kTail = 2;  // left by a jump to another function
constexpr int kEntryWithArguments = 3;

// By function number, from 1. Complete before the first handler runs, and never destroyed.
const void** addresses = nullptr;

THREADING_UNTRACED void handle(std::int32_t id, int type) {
  detail::PerThread& self = detail::backend::tls_per_thread;
  if (!detail::is_traced(self)) return;
  if (type == kEntry || type == kEntryWithArguments) {
    detail::hand_over(self, {.kind = TraceEvent::call, .function = addresses[id]});
  } else if (type == kExit || type == kTail) {
    detail::hand_over(self, {.kind = TraceEvent::return_, .function = addresses[id]});
  }
}

THREADING_UNTRACED bool patch() noexcept {
  const std::size_t last = __xray_max_function_id();
  addresses = new const void* [last + 1] {};
  for (std::size_t id = 1; id <= last; ++id) {
    addresses[id] = reinterpret_cast<const void*>(__xray_function_address(static_cast<std::int32_t>(id)));
  }
  return __xray_set_handler(&handle) != 0 && __xray_patch() == 1;
}

THREADING_UNTRACED void activate() noexcept { [[maybe_unused]] static const bool patched = patch(); }

constinit detail::TraceSource source{"xray", 1u << TraceEvent::call | 1u << TraceEvent::return_, &activate};

}  // namespace

extern "C" {
// Nothing in the program refers to this file; the linker is asked for this name instead.
THREADING_API extern const bool threadingpp_trace_xray;
const bool threadingpp_trace_xray = (threading::detail::add_trace_source(source), true);
}
