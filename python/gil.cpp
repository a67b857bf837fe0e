// SPDX-License-Identifier: MIT
#include "gil.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include <threading/detail/backend.hpp>
#include <threading/detail/thread_token.hpp>

namespace face {
namespace {

namespace backend = threading::detail::backend;

// How long a waiter waits for the GIL to be let go before it asks for it. A thousandth of CPython's switch interval,
// after which whoever computes is made to let it go. Nanoseconds.
constexpr std::int64_t kPatience = 5'000;
constexpr int kPausesPerClockRead = 16;
constexpr unsigned kMostFailures = 6;  // 2^6 - 1 = 63 waits that ask at once

// Who took the GIL here last: the thread's token and its processor, plus one; 0 once it was let go here.
// relaxed throughout: hints, ordered by nothing.
std::atomic<std::uint64_t> holder{0};
std::atomic<unsigned> failures{0};  // in a row
std::atomic<unsigned> skips{0};     // waits left that ask at once

constexpr unsigned kTokenShift = 32;
std::uint64_t me() noexcept {
  const auto cpu = static_cast<std::uint32_t>(sched_getcpu() + 1);
  return std::uint64_t{threading::detail::thread_token_hint()} << kTokenShift | cpu;
}
std::uint32_t cpu_of(std::uint64_t note) noexcept { return static_cast<std::uint32_t>(note); }

bool looks_free() noexcept { return holder.load(std::memory_order_relaxed) == 0; }

bool wait_a_moment() noexcept {
  const std::int64_t until = backend::monotonic_now() + kPatience;
  do {
    for (int i = 0; i != kPausesPerClockRead; ++i) {
      if (looks_free()) return true;
      backend::cpu_relax();
    }
  } while (backend::monotonic_now() < until);
  return false;
}

// Not worth it where the holder cannot run while this thread does.
void await_gil() noexcept {
  const std::uint64_t seen = holder.load(std::memory_order_relaxed);
  if (seen == 0 || cpu_of(seen) == cpu_of(me())) return;
  const unsigned skip = skips.load(std::memory_order_relaxed);
  if (skip != 0) {
    skips.store(skip - 1, std::memory_order_relaxed);
    return;
  }
  unsigned failed = 0;
  if (!wait_a_moment()) {
    failed = failures.load(std::memory_order_relaxed);
    if (failed != kMostFailures) ++failed;
  }
  failures.store(failed, std::memory_order_relaxed);
  skips.store((1u << failed) - 1, std::memory_order_relaxed);
}

}  // namespace

PyThreadState* let_gil_go() {
  if (!kHasGil) return PyEval_SaveThread();
  std::uint64_t seen = holder.load(std::memory_order_relaxed);
  PyThreadState* const state = PyEval_SaveThread();
  // Unless somebody has taken it meanwhile.
  holder.compare_exchange_strong(seen, 0, std::memory_order_relaxed, std::memory_order_relaxed);
  return state;
}

void take_gil_back(PyThreadState* state) {
  if (kHasGil) await_gil();
  PyEval_RestoreThread(state);
  if (kHasGil) holder.store(me(), std::memory_order_relaxed);
}

namespace {

enum class IsMain : unsigned char { unknown, yes, no };
thread_local IsMain is_main = IsMain::unknown;

// The thread that forks is the child's main thread.
[[maybe_unused]] const int asks_again_after_fork = pthread_atfork(nullptr, nullptr, [] { is_main = IsMain::unknown; });

}  // namespace

bool is_main_thread() {
  if (is_main == IsMain::unknown) is_main = syscall(SYS_gettid) == getpid() ? IsMain::yes : IsMain::no;
  return is_main == IsMain::yes;
}

}  // namespace face
