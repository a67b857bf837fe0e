// SPDX-License-Identifier: MIT
//
// The kernel, as far as the library uses it: wait on a word, wake, tell the time, give way, fence.
#pragma once

#include <cstdint>

#include "atomic.hpp"
#include "fiber.hpp"

namespace lab {

enum class FutexOutcome : std::uint8_t { woken, changed, timed_out, interrupted };

// Sleeps while the latest value is `expected`. `deadline` on monotonic_now(); INT64_MAX: none. With a budget for
// them it may also return `woken` for no reason, `interrupted`, or `timed_out` as soon as the clock could say so.
[[nodiscard]] FutexOutcome futex_wait(const atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t deadline,
                                      Site site = Site::here()) noexcept;

// Wakes at most `count` sleepers, longest sleeping first. The address is not read.
void futex_wake(const void* address, int count, Site site = Site::here()) noexcept;

std::int64_t monotonic_now(Site site = Site::here()) noexcept;

// Sleeps until the clock says so; nothing else ends it.
void sleep_until(std::int64_t deadline, Site site = Site::here()) noexcept;

// The thread can do nothing useful until another has changed something: others move first.
void yield(Site site = Site::here()) noexcept;
inline void cpu_relax(Site site = Site::here()) noexcept { yield(site); }

// Asymmetric fences: what the calling thread did before is seen by all from here on, and what they did before by it. It
// orders no plain accesses. The light one is for compilers, which do not reorder here.
void heavy_fence(Site site = Site::here()) noexcept;
inline void light_fence() noexcept {}
// As the scenario says.
bool has_heavy_fence() noexcept;

// The number of the running thread, standing for its processor. -1, unknown, outside an execution and in scenarios with
// one processor.
int current_cpu() noexcept;

// As the scenario says.
int cpu_count() noexcept;
std::size_t many_queued() noexcept;

namespace detail {

// This thread's block of zeroed memory, kStorageSize bytes. Outside an execution: one block for all.
inline constexpr unsigned kStorageSize = sizeof(Fiber::storage);
void* fiber_storage() noexcept;

}  // namespace detail

}  // namespace lab
