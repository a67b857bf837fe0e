// SPDX-License-Identifier: MIT
#include "platform/futex.hpp"

#include <linux/futex.h>
#include <sched.h>
#include <sys/prctl.h>
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

namespace threading::inline v1::platform {
namespace {

// PR_FUTEX_HASH and what it does, which headers from before Linux 6.16 do not know.
constexpr int kFutexHash = 78;
constexpr unsigned long kSetSlots = 1;
constexpr unsigned long kGetSlots = 2;

// 64 bytes of the kernel each. Ten thousand sleepers are twenty to a slot, which a wake-up goes through in .3 µs; with
// four times the slots it is hardly faster.
constexpr unsigned long kSlots = 512;
// What the kernel gives a process by itself, once it has as many threads as processors.
constexpr unsigned long kSlotsPerProcessor = 4;

constinit detail::backend::atomic<bool> has_seen_to_it{false};

// Returns: false as well if there are more than can be counted here.
bool has_few_processors() noexcept {
  cpu_set_t processors;
  return sched_getaffinity(0, sizeof processors, &processors) == 0 &&
         static_cast<unsigned long>(CPU_COUNT(&processors)) * kSlotsPerProcessor < kSlots;
}

// At load: most processes have one thread then. The table of one that has more takes the kernel 25 ms to exchange, or
// half a second.
[[maybe_unused]] const bool was_seen_to_at_start = (make_room_for_sleepers(), true);

}  // namespace

void make_room_for_sleepers() noexcept {
  // relaxed, both: who comes second need not wait for the first.
  if (has_seen_to_it.load(std::memory_order_relaxed)) return;
  has_seen_to_it.store(true, std::memory_order_relaxed);
  const int before = errno;
  // None so far: one thread. Or the process has chosen the table of all processes, which the kernel does not undo.
  const bool has_none = prctl(kFutexHash, kGetSlots, 0ul, 0ul, 0ul) == 0;
  if (has_none && has_few_processors()) prctl(kFutexHash, kSetSlots, kSlots, 0ul, 0ul);
  errno = before;
}

void forget_room_for_sleepers() noexcept {
  has_seen_to_it.store(false, std::memory_order_relaxed);  // relaxed: one thread is left
}

}  // namespace threading::inline v1::platform
