// SPDX-License-Identifier: MIT
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include <threading/detail/backend.hpp>

namespace threading::inline v1::detail::backend {
namespace {

enum class Known : std::uint8_t { nothing, present, absent };

// No function-local static: a fork while another thread initialises one leaves the child waiting for it.
constinit atomic<Known> known{Known::nothing};

bool membarrier(int command) noexcept { return syscall(SYS_membarrier, command, 0, 0) == 0; }

bool register_process() noexcept { return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED); }

// At load: later, with many threads, the kernel takes its time. A process asks before it may, and its children inherit
// that.
[[maybe_unused]] const bool known_at_start = has_heavy_fence();

}  // namespace

bool has_heavy_fence() noexcept {
  Known answer = known.load(std::memory_order_relaxed);  // relaxed: whoever comes first finds out the same
  if (answer == Known::nothing) {
    const int before = errno;
    answer = register_process() ? Known::present : Known::absent;
    errno = before;
    known.store(answer, std::memory_order_relaxed);  // relaxed: as above
  }
  return answer == Known::present;
}

void heavy_fence() noexcept {
  const int before = errno;
  if (!membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) &&
      !(register_process() && membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED))) {
    // A filter for system calls was put in place after the start. Stores that are under way reach the caches within a
    // fraction of a microsecond, or when their thread loses its processor (Morrison and Afek, "Temporally bounding
    // TSO", 2015); wait a multiple of that. From now on no bucket begins to store and no event becomes quiet, so each
    // that does or is comes here once. By the clock, which asks no kernel: a filter may refuse to let this thread sleep
    // as well, and to sleep is a point where it may be cancelled.
    known.store(Known::absent, std::memory_order_relaxed);  // relaxed: who sees it late comes here again
    const std::int64_t end = monotonic_now() + 1'000'000;
    while (monotonic_now() < end) yield();
  }
  errno = before;
}

}  // namespace threading::inline v1::detail::backend
