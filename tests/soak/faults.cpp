// SPDX-License-Identifier: MIT
//
// This program defines the back end's futex_wait() and futex_wake() itself, so the linker leaves the archive's own out.
// What is shipped is compiled here under another name, and called.
#include "soak/faults.hpp"

#include <threading/detail/backend.hpp>

#include "soak/soak.hpp"

#define futex_wait shipped_futex_wait
#define futex_wake shipped_futex_wake
#include "platform/futex.cpp"
#undef futex_wait
#undef futex_wake

namespace soak {
namespace {

constinit std::atomic<std::uint32_t> spurious_rate{0};
constinit std::atomic<std::uint32_t> delay_rate{0};
constinit std::atomic<std::uint64_t> spurious{0};
constinit std::atomic<std::uint64_t> delayed{0};
constinit std::atomic<std::uint64_t> interrupted{0};
constinit std::atomic<std::uint32_t> next_seed{1};

std::uint32_t dice() noexcept {
  thread_local Random random(next_seed.fetch_add(1));
  return random.next() >> 8;
}

}  // namespace

void set_faults(std::uint32_t spurious_of_256, std::uint32_t delayed_of_256) noexcept {
  spurious_rate = spurious_of_256;
  delay_rate = delayed_of_256;
}

FaultCounts fault_counts() noexcept { return {spurious.load(), delayed.load(), interrupted.load()}; }

}  // namespace soak

namespace threading::inline v1::detail::backend {

FutexOutcome futex_wait(const atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t deadline) noexcept {
  const std::uint32_t rate = soak::spurious_rate.load(std::memory_order_relaxed);
  if (rate != 0) {
    const std::uint32_t rolled = soak::dice();
    if ((rolled & 255) < rate) {
      ++soak::spurious;
      return (rolled & 256) != 0 ? FutexOutcome::woken : FutexOutcome::interrupted;
    }
  }
  const FutexOutcome outcome = shipped_futex_wait(word, expected, deadline);
  if (outcome == FutexOutcome::interrupted) ++soak::interrupted;
  return outcome;
}

void futex_wake(const void* address, int count) noexcept {
  const std::uint32_t rate = soak::delay_rate.load(std::memory_order_relaxed);
  if (rate != 0 && (soak::dice() & 255) < rate) {
    ++soak::delayed;
    yield();
  }
  shipped_futex_wake(address, count);
}

}  // namespace threading::inline v1::detail::backend
