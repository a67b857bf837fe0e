// SPDX-License-Identifier: MIT
//
// The back end of the real world: the standard's atomics, the kernel's futex, this thread's TLS block.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <stop_token>

#include <threading/detail/config.hpp>
#include <threading/detail/per_thread.hpp>

#if !defined(__x86_64__) && !defined(__i386__)
#include <thread>
#endif

namespace threading::inline v1::detail::backend {

template <class T>
using atomic = std::atomic<T>;
template <class T>
using atomic_ref = std::atomic_ref<T>;

using stop_token = std::stop_token;
using stop_source = std::stop_source;
template <class F>
using stop_callback = std::stop_callback<F>;

// Nanoseconds since an arbitrary start, on the clock that std::chrono::steady_clock reads; never goes back.
THREADING_API std::int64_t monotonic_now() noexcept;

// Tells the processor that this is a spin loop.
inline void cpu_relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#else
  std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

// From how many on the queue of a lock is long: see ADR 34.
constexpr std::size_t many_queued() noexcept { return 2'048; }

// Offers the processor to another runnable thread.
void yield() noexcept;

// The processor this thread was last seen on, from 0; -1 when the system does not tell cheaply.
int current_cpu() noexcept;

// How many processors this process may use, counting its affinity mask and CPU quota; at least 1. Cached.
int cpu_count() noexcept;

// Asymmetric fences. Of two threads, one of which stores, passes a light fence and loads, the other stores, passes a
// heavy fence and loads, at least one sees the other's store. The light fence costs nothing.
inline void light_fence() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }
// About a microsecond; a millisecond if the kernel refuses all at once. Requires: has_heavy_fence() has once said yes.
void heavy_fence() noexcept;
// Returns: whether the kernel can do that, now. Asks it once for the process.
bool has_heavy_fence() noexcept;

enum class FutexOutcome : std::uint8_t { woken, changed, timed_out, interrupted };

// Sleeps while `word == expected`, until a wake, the deadline (monotonic_now() nanoseconds; INT64_MAX: none) or a
// signal handler. May return `woken` for no reason; never `timed_out` before the deadline.
[[nodiscard]] FutexOutcome futex_wait(const atomic<std::uint32_t>& word, std::uint32_t expected,
                                      std::int64_t deadline) noexcept;

// Wakes at most `count` threads that sleep at this address. The address is not read: it may be gone by now, in which
// case an unrelated sleeper may see one spurious wake-up.
void futex_wake(const void* address, int count) noexcept;

// This thread's block. Constant-initialised and trivially destructible, so it may be used from any thread-local
// destructor. initial-exec: one load off the thread pointer, also inside the shared library.
extern THREADING_API constinit thread_local PerThread tls_per_thread __attribute__((tls_model("initial-exec")));

inline PerThread& per_thread() noexcept { return tls_per_thread; }

// Not through a reference: under -fsanitize=null, GCC tests the flags of the addition that computes the address, for
// which the linker may put an instruction that sets none.
inline ThreadToken own_token() noexcept { return tls_per_thread.token; }

}  // namespace threading::inline v1::detail::backend
