// SPDX-License-Identifier: MIT
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#endif

#include <threading/detail/backend.hpp>

#include "platform/cpu_quota.hpp"

namespace threading::inline v1::detail::backend {
namespace {

#if defined(RSEQ_SIG)
char* thread_pointer() noexcept {
#if defined(__x86_64__)
  char* pointer;
  asm("mov %%fs:0, %0" : "=r"(pointer));
  return pointer;
#else
  return static_cast<char*>(__builtin_thread_pointer());
#endif
}
#endif

int affinity_count() noexcept {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) {
    return static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  }
  return std::max(1, CPU_COUNT(&set));
}

// Taken while the library is initialised: a thread that binds itself to one processor before it first waits must not
// be mistaken for a process that has only one.
const int affinity_at_start = affinity_count();

// No function-local static: a fork while another thread initialises one leaves the child waiting for it.
constinit atomic<int> known_cpu_count{0};

}  // namespace

int current_cpu() noexcept {
#if defined(RSEQ_SIG)
  // The kernel keeps the number up to date in the thread's restartable-sequence area: one load.
  if (__rseq_size != 0) {
    const auto* area = reinterpret_cast<const volatile struct rseq*>(thread_pointer() + __rseq_offset);
    return static_cast<int>(area->cpu_id);
  }
#endif
  return -1;
}

int cpu_count() noexcept {
  // relaxed: whoever comes first finds out the same number.
  int count = known_cpu_count.load(std::memory_order_relaxed);
  if (count == 0) {
    // 0: asked by a constructor that runs before this file's.
    count = std::min(affinity_at_start != 0 ? affinity_at_start : affinity_count(), platform::cpu_quota(""));
    known_cpu_count.store(count, std::memory_order_relaxed);  // relaxed: as above
  }
  return count;
}

void yield() noexcept { sched_yield(); }

}  // namespace threading::inline v1::detail::backend
