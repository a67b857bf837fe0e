// SPDX-License-Identifier: MIT
//
// The lock under the lot: it excludes, it loses nobody, and it is one word.
#include "parking/word_lock.hpp"

#include <array>
#include <atomic>
#include <cstdint>

#include "support/support.hpp"

namespace {

using namespace support;
using threading::parking::WordLock;

static_assert(sizeof(WordLock) == sizeof(void*));
constinit WordLock global;  // before any constructor

TEST(WordLock, LocksAndUnlocks) {
  for (int i = 0; i < 3; ++i) {
    global.lock();
    global.unlock();
  }
}

// Plain increments under the lock add up (and a race detector sees no race), also with more threads than processors,
// so that holders lose theirs and waiters really sleep.
TEST(WordLock, Excludes) {
  for (const int threads : {2, 8, 32}) {
    WordLock lock;
    std::int64_t counter = 0;
    const int each = rounds(60'000) / threads;
    Bunch bunch(threads, [&] {
      for (int i = 0; i < each; ++i) {
        lock.lock();
        ++counter;
        lock.unlock();
      }
    });
    bunch.join();
    EXPECT_EQ(counter, std::int64_t{each} * threads);
  }
}

// A thread that waits while the holder is away from its processor sleeps and is woken.
TEST(WordLock, WakesThreadsThatSleep) {
  WordLock lock;
  std::atomic<int> passed{0};
  lock.lock();
  Bunch bunch(8, [&] {
    lock.lock();
    ++passed;
    lock.unlock();
  });
  // Nothing shows that they sleep; long enough for their few spins is long enough for the test to mean something.
  EXPECT_FALSE(eventually([&] { return passed != 0; }, kShortDelay));
  lock.unlock();
  bunch.join();
  EXPECT_EQ(passed, 8);
}

TEST(WordLock, IsFreeAfterTheResetForAForkedChild) {
  WordLock lock;
  lock.lock();
  lock.reset_after_fork();
  lock.lock();
  lock.unlock();
}

}  // namespace
