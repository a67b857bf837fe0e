// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include <threading/detail/backend.hpp>
#include <threading/trace.hpp>

namespace threading::inline v1::trace {

// Shared by the threads it is set for; null: none.
using FunctionPtr = std::shared_ptr<const TraceFunction>;

// No events from this thread while one is alive: what the library does for tracing is not traced, and a hook that
// interrupts it finds no lock held that it would need.
class Untraced {
 public:
  explicit Untraced(detail::PerThread& self) noexcept : self_(self), before_(self.in_trace) { self.in_trace = true; }
  ~Untraced() { self_.in_trace = before_; }
  Untraced(const Untraced&) = delete;
  Untraced& operator=(const Untraced&) = delete;

 private:
  detail::PerThread& self_;
  const bool before_;
};

// Brings the thread's functions up to date with the calls that set those of all threads. Requires: in_trace.
void catch_up(detail::PerThread& self) noexcept;

// Frees the state if it holds no function. Requires: none is running.
void drop_if_empty(detail::PerThread& self) noexcept;

// Gives a thread that starts what is set for such threads. Requires: in_trace.
void arm_new_thread(detail::PerThread& self) noexcept;

// Those of base/hooks.hpp.
void fill_slots() noexcept;
// What is linked in beside the library.
void activate_sources() noexcept;

// The lock of the table of names, for fork.
void lock_names() noexcept;
void unlock_names() noexcept;

}  // namespace threading::inline v1::trace

namespace threading::inline v1::detail {

// The functions of one thread. Touched by that thread only. Exists while it has one.
struct TraceState {
  trace::FunctionPtr trace;
  trace::FunctionPtr profile;
  bool running = false;                      // one of them is on the stack
  std::vector<trace::FunctionPtr> replaced;  // by themselves, while running: destroyed afterwards
};

}  // namespace threading::inline v1::detail
