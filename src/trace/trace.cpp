// SPDX-License-Identifier: MIT
//
// Which functions each thread has, and how it comes by them.
//
// Word     trace_epoch: how many calls have changed the functions of all threads. PerThread::trace_epoch: how many of
//          them this thread knows. PerThread::trace: the thread's functions, null for none.
// Moves    settrace: writes the table; threads read it when they start. settrace_all_threads: writes the table's other
//          half, and the epoch; a running thread reads it at its next event. sys::settrace: the thread's own.
// I1       A TraceState is touched by its thread alone, so that delivering an event takes no lock and counts nothing.
// I2       A function is not destroyed while it is on its thread's stack: TraceState::replaced keeps it.
// I3       User code (a function, its copy's constructor or destructor) never runs under the table's lock.
// I4       Whoever holds the table's lock has in_trace set: no hook of the same thread, be it in a signal handler, can
//          ask for it again.
// Orders   The table's lock orders everything in it; the epoch is only a hint to look.
#include <threading/trace.hpp>

#include <cstdint>
#include <cstdio>
#include <mutex>
#include <new>
#include <utility>

#include <threading/lock.hpp>

#include "platform/fork.hpp"
#include "trace/trace_state.hpp"

namespace threading::inline v1 {

namespace detail {
constinit backend::atomic<std::uint32_t> trace_epoch{0};
}

namespace trace {
namespace {

using detail::PerThread;
using detail::TraceState;
using Member = FunctionPtr TraceState::*;

// What one kind of function is for threads to come, and for those that were there at an epoch.
struct Row {
  FunctionPtr to_come;
  FunctionPtr for_all;
  std::uint32_t epoch = 0;
};

struct Table {
  Lock lock;  // guards the rest; the lock of the names comes after it, and the lot's own
  Row trace;
  Row profile;
  bool forking_in_trace = false;  // in_trace of the thread that forks
};

// Never destroyed: threads may trace while the process ends.
Table& table() {
  static Table& made = *new Table;
  return made;
}

Row& row_of(Table& all, Member which) noexcept { return which == &TraceState::trace ? all.trace : all.profile; }

FunctionPtr shared(TraceFunction function) {
  return function ? std::make_shared<const TraceFunction>(std::move(function)) : nullptr;
}

TraceFunction unshared(const FunctionPtr& function) { return function ? *function : TraceFunction(); }

// relaxed: changed under the table's lock, or only compared.
std::uint32_t epoch_now() noexcept { return detail::trace_epoch.load(std::memory_order_relaxed); }

// Ends a thread's functions with the thread. The last thing that can be traced in it are the thread-local objects made
// after this one.
struct AtThreadEnd {
  ~AtThreadEnd() {
    PerThread& self = detail::backend::per_thread();
    self.in_trace = true;  // for good
    delete std::exchange(self.trace, nullptr);
  }
  void arm() const noexcept {}
};
thread_local const AtThreadEnd at_thread_end;

// Requires: in_trace.
void install(PerThread& self, Member which, FunctionPtr function) {
  if (self.trace == nullptr) {
    if (!function) return;
    at_thread_end.arm();
    self.trace = new TraceState;
  }
  TraceState& state = *self.trace;
  if (state.running) {
    state.replaced.push_back(std::exchange(state.*which, std::move(function)));
    return;
  }
  function.swap(state.*which);
  drop_if_empty(self);
}

void out_of_memory() noexcept { std::fputs("threading: no memory to trace a thread; it runs untraced\n", stderr); }

void prepare_to_fork() noexcept THREADING_NO_THREAD_SAFETY_ANALYSIS {
  PerThread& self = detail::backend::per_thread();
  const bool in_trace = std::exchange(self.in_trace, true);
  table().lock.lock();
  table().forking_in_trace = in_trace;
  lock_names();
}
void after_fork() noexcept THREADING_NO_THREAD_SAFETY_ANALYSIS {
  unlock_names();
  const bool in_trace = table().forking_in_trace;
  table().lock.unlock();
  detail::backend::per_thread().in_trace = in_trace;
}

[[maybe_unused]] const bool forks_are_handled = [] {
  table();  // before there is a second thread that could fork
  platform::on_fork(platform::ForkRoom::trace,
                    {.prepare = &prepare_to_fork, .parent = &after_fork, .child = &after_fork});
  return true;
}();

// Makes events flow, once there is somebody to get them.
void turn_on() noexcept {
  fill_slots();
  activate_sources();
}

void set_for_new_threads(Member which, TraceFunction function) {
  const Untraced quiet(detail::backend::per_thread());
  FunctionPtr changed = shared(std::move(function));
  if (changed) turn_on();
  {
    Table& all = table();
    const std::scoped_lock hold(all.lock);
    changed.swap(row_of(all, which).to_come);
  }
}

void set_for_all_threads(Member which, TraceFunction function) {
  PerThread& self = detail::backend::per_thread();
  const Untraced quiet(self);
  const FunctionPtr changed = shared(std::move(function));
  if (changed) turn_on();
  FunctionPtr before_to_come = changed;
  FunctionPtr before_for_all = changed;
  {
    Table& all = table();
    const std::scoped_lock hold(all.lock);
    Row& row = row_of(all, which);
    before_to_come.swap(row.to_come);
    before_for_all.swap(row.for_all);
    row.epoch = epoch_now() + 1;
    // relaxed: who sees it takes the lock.
    detail::trace_epoch.store(row.epoch, std::memory_order_relaxed);
  }
  catch_up(self);
}

TraceFunction get_for_new_threads(Member which) {
  const Untraced quiet(detail::backend::per_thread());
  FunctionPtr found;
  {
    Table& all = table();
    const std::scoped_lock hold(all.lock);
    found = row_of(all, which).to_come;
  }
  return unshared(found);
}

void set_for_this_thread(Member which, TraceFunction function) {
  PerThread& self = detail::backend::per_thread();
  const Untraced quiet(self);
  FunctionPtr changed = shared(std::move(function));
  if (changed) turn_on();
  if (self.trace_epoch != epoch_now()) catch_up(self);  // what was set before must not come later and undo this
  install(self, which, std::move(changed));
}

TraceFunction get_for_this_thread(Member which) {
  PerThread& self = detail::backend::per_thread();
  const Untraced quiet(self);
  if (self.trace_epoch != epoch_now()) catch_up(self);
  return self.trace == nullptr ? TraceFunction() : unshared(self.trace->*which);
}

}  // namespace

void drop_if_empty(PerThread& self) noexcept {
  if (self.trace == nullptr || self.trace->trace || self.trace->profile) return;
  delete std::exchange(self.trace, nullptr);
}

void catch_up(PerThread& self) noexcept {
  FunctionPtr trace;
  FunctionPtr profile;
  bool trace_changed = false;
  bool profile_changed = false;
  {
    Table& all = table();
    const std::scoped_lock hold(all.lock);
    // Differences, so that the count may wrap.
    const std::uint32_t behind = epoch_now() - self.trace_epoch;
    trace_changed = epoch_now() - all.trace.epoch < behind;
    profile_changed = epoch_now() - all.profile.epoch < behind;
    if (trace_changed) trace = all.trace.for_all;
    if (profile_changed) profile = all.profile.for_all;
    self.trace_epoch = epoch_now();
  }
  try {
    if (trace_changed) install(self, &TraceState::trace, std::move(trace));
    if (profile_changed) install(self, &TraceState::profile, std::move(profile));
  } catch (const std::bad_alloc&) {
    out_of_memory();
  }
}

void arm_new_thread(PerThread& self) noexcept {
  FunctionPtr trace;
  FunctionPtr profile;
  {
    Table& all = table();
    const std::scoped_lock hold(all.lock);
    trace = all.trace.to_come;
    profile = all.profile.to_come;
    self.trace_epoch = epoch_now();
  }
  try {
    install(self, &TraceState::trace, std::move(trace));
    install(self, &TraceState::profile, std::move(profile));
  } catch (const std::bad_alloc&) {
    out_of_memory();
  }
}

}  // namespace trace

using detail::TraceState;

void settrace(TraceFunction function) { trace::set_for_new_threads(&TraceState::trace, std::move(function)); }
void setprofile(ProfileFunction function) { trace::set_for_new_threads(&TraceState::profile, std::move(function)); }
TraceFunction gettrace() { return trace::get_for_new_threads(&TraceState::trace); }
ProfileFunction getprofile() { return trace::get_for_new_threads(&TraceState::profile); }

void settrace_all_threads(TraceFunction function) {
  trace::set_for_all_threads(&TraceState::trace, std::move(function));
}
void setprofile_all_threads(ProfileFunction function) {
  trace::set_for_all_threads(&TraceState::profile, std::move(function));
}

namespace sys {
void settrace(TraceFunction function) { trace::set_for_this_thread(&TraceState::trace, std::move(function)); }
void setprofile(ProfileFunction function) { trace::set_for_this_thread(&TraceState::profile, std::move(function)); }
TraceFunction gettrace() { return trace::get_for_this_thread(&TraceState::trace); }
ProfileFunction getprofile() { return trace::get_for_this_thread(&TraceState::profile); }
}  // namespace sys

}  // namespace threading::inline v1
