// SPDX-License-Identifier: MIT
//
// The back end of the schedule lab: the names of backend_native.hpp, on the lab's threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include <schedule/lab/atomic.hpp>
#include <schedule/lab/futex.hpp>
#include <schedule/lab/stop_token.hpp>
#include <threading/detail/config.hpp>
#include <threading/detail/per_thread.hpp>

namespace threading::inline v1::detail::backend {

using lab::atomic;
using lab::atomic_ref;
using lab::cpu_count;
using lab::cpu_relax;
using lab::current_cpu;
using lab::futex_wait;
using lab::futex_wake;
using lab::FutexOutcome;
using lab::has_heavy_fence;
using lab::heavy_fence;
using lab::light_fence;
using lab::many_queued;
using lab::monotonic_now;
using lab::stop_callback;
using lab::stop_source;
using lab::stop_token;
using lab::yield;

// All zero is a PerThread's valid initial state, and so is a new thread's storage.
inline PerThread& per_thread() noexcept {
  static_assert(sizeof(PerThread) <= lab::detail::kStorageSize && alignof(PerThread) <= 16);
  return *static_cast<PerThread*>(lab::detail::fiber_storage());
}
inline ThreadToken own_token() noexcept { return per_thread().token; }

}  // namespace threading::inline v1::detail::backend
