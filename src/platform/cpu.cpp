// SPDX-License-Identifier: MIT
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>

#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#endif

#include <threading/detail/backend.hpp>

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

// Whole processors that a control group's quota allows, rounded down; a large number when there is none.
int quota_count() noexcept {
  constexpr int kUnlimited = 1 << 20;
  std::FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "re");
  if (file == nullptr) return kUnlimited;
  long long quota = 0;
  long long period = 0;
  const int fields = std::fscanf(file, "%lld %lld", &quota, &period);  // "max 100000" when unlimited: 0 fields
  std::fclose(file);
  if (fields != 2 || period <= 0) return kUnlimited;
  return static_cast<int>(std::clamp(quota / period, 1LL, static_cast<long long>(kUnlimited)));
}

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
  static const int count = std::min(affinity_count(), quota_count());
  return count;
}

void yield() noexcept { sched_yield(); }

}  // namespace threading::inline v1::detail::backend
