// SPDX-License-Identifier: MIT
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <limits>

#include <threading/detail/backend.hpp>

#include "base/check.hpp"

namespace threading::inline v1::detail::backend {
namespace {

// The kernel's 64-bit timespec, whatever time_t is in user space.
struct KernelTimespec {
  std::int64_t seconds;
  std::int64_t nanoseconds;
};

#if defined(SYS_futex_time64)
constexpr long kFutex = SYS_futex_time64;
#else
constexpr long kFutex = SYS_futex;
#endif

}  // namespace

FutexOutcome futex_wait(const atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t deadline) noexcept {
  static_assert(sizeof(atomic<std::uint32_t>) == sizeof(std::uint32_t), "the kernel waits on the value itself");
  constexpr std::int64_t kSecond = 1'000'000'000;
  KernelTimespec until{deadline / kSecond, deadline % kSecond};
  const bool bounded = deadline != std::numeric_limits<std::int64_t>::max();
  if (bounded && deadline <= 0) return FutexOutcome::timed_out;  // before the clock began; the kernel refuses it
  // FUTEX_WAIT_BITSET takes an absolute time on the monotonic clock.
  const long result = syscall(kFutex, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected,
                              bounded ? &until : nullptr, nullptr, FUTEX_BITSET_MATCH_ANY);
  if (result == 0) return FutexOutcome::woken;
  switch (errno) {
    case EAGAIN: return FutexOutcome::changed;
    case ETIMEDOUT: return FutexOutcome::timed_out;
    case EINTR: return FutexOutcome::interrupted;
    default: base::die("futex wait failed with errno %d", errno);
  }
}

void futex_wake(const void* address, int count) noexcept {
  // EFAULT is tolerated: the sleeper's stack may be unmapped by now. Nothing else can happen.
  syscall(kFutex, address, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, nullptr, nullptr, 0);
}

}  // namespace threading::inline v1::detail::backend
