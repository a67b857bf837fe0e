// SPDX-License-Identifier: MIT
//
// The back end's view of the kernel's wait on a word.
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include <threading/detail/backend.hpp>

#include "support/support.hpp"

namespace {

using namespace support;
namespace backend = threading::detail::backend;
using backend::FutexOutcome;

constexpr std::int64_t kNever = INT64_MAX;

TEST(Futex, DoesNotSleepOnAnotherValue) {
  const backend::atomic<std::uint32_t> word{1};
  EXPECT_EQ(backend::futex_wait(word, 2, kNever), FutexOutcome::changed);
}

TEST(Futex, NeverTimesOutEarly) {
  const backend::atomic<std::uint32_t> word{1};
  const std::int64_t deadline = backend::monotonic_now() + 5'000'000;
  FutexOutcome outcome{};
  do {
    outcome = backend::futex_wait(word, 1, deadline);
  } while (outcome == FutexOutcome::woken);  // which may be said for no reason
  EXPECT_EQ(outcome, FutexOutcome::timed_out);
  EXPECT_GE(backend::monotonic_now(), deadline);
}

// The kernel refuses times before its clock's start; the caller sees a deadline that has passed.
TEST(Futex, TimesOutAtDeadlinesBeforeTheClockBegan) {
  const backend::atomic<std::uint32_t> word{1};
  for (const std::int64_t deadline : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}}) {
    EXPECT_EQ(backend::futex_wait(word, 1, deadline), FutexOutcome::timed_out) << deadline;
  }
}

TEST(Futex, WakesASleeper) {
  backend::atomic<std::uint32_t> word{0};
  Bunch bunch;
  bunch.add([&] {
    while (word.load(std::memory_order_acquire) == 0) {
      static_cast<void>(backend::futex_wait(word, 0, kNever));
    }
  });
  word.store(1, std::memory_order_release);
  backend::futex_wake(&word, 1);
}

// The sleeper may have returned and its stack may be unmapped by the time the waker enters the kernel.
TEST(Futex, WakingAtAnAddressThatIsGoneDoesNothing) {
  const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const page = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  ASSERT_EQ(munmap(page, size), 0);
  backend::futex_wake(page, 1);
}

}  // namespace
