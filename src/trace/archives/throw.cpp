// SPDX-License-Identifier: MIT
//
// threadingpp::trace_throw: stands before the runtime's __cxa_throw(), which a throw expression calls with the
// exception, its type and its destructor. Exceptions thrown by shared libraries pass here too. Not for programs that
// link the C++ runtime statically: there it would be defined twice.
#include <dlfcn.h>

#include <cstdlib>
#include <typeinfo>

#include <threading/trace.hpp>

extern "C" {
// A sanitizer's __cxa_throw() where its runtime is part of the executable, which dlsym() does not find beside ours.
__attribute__((weak)) void __interceptor___cxa_throw(void* thrown, std::type_info* type, void (*destroy)(void*));
}

namespace {

using namespace threading;
using Throw = void (*)(void*, std::type_info*, void (*)(void*));

// Looked up at the first throw, which may come before any initialiser of ours. Every thread finds the same.
Throw next_throw() noexcept {
  if (__interceptor___cxa_throw != nullptr) return &__interceptor___cxa_throw;
  static detail::backend::atomic<Throw> known{nullptr};
  // relaxed: a function is there whether or not anything else is visible.
  Throw next = known.load(std::memory_order_relaxed);
  if (next == nullptr) {
    next = reinterpret_cast<Throw>(dlsym(RTLD_NEXT, "__cxa_throw"));
    if (next == nullptr) std::abort();
    known.store(next, std::memory_order_relaxed);  // relaxed: as above
  }
  return next;
}

constinit detail::TraceSource source{"throw", 1u << TraceEvent::exception, nullptr};

}  // namespace

extern "C" {

// The linker is asked for this name, or it might be content with a shared library's __cxa_throw().
THREADING_API extern const bool threadingpp_trace_throw;
const bool threadingpp_trace_throw = (threading::detail::add_trace_source(source), true);

[[noreturn]] THREADING_API THREADING_UNTRACED void __cxa_throw(void* thrown, std::type_info* type,
                                                               void (*destroy)(void*)) {
  detail::PerThread& self = detail::backend::tls_per_thread;
  if (detail::is_traced(self)) {
    detail::hand_over(
        self, {.kind = TraceEvent::exception, .call_site = __builtin_return_address(0), .exception_type = type});
  }
  next_throw()(thrown, type, destroy);
  std::abort();  // the runtime's does not return
}

}  // extern "C"
