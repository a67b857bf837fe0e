// SPDX-License-Identifier: MIT
//
// What the machine allows: the atomic operations, system calls and cache misses that no library can do without, and
// nothing else. Of no use as locks.
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <memory>

#include "../rivals.hpp"

namespace bench {
namespace {

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t value) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}
void futex_wake(std::atomic<std::uint32_t>& word, int count) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}
void pause() { __builtin_ia32_pause(); }

thread_local long local_value = 0;

// Without competition: two read-modify-writes for a pair, a load for a question.
Result two_exchanges(const Options& options) {
  std::atomic<std::uint32_t> word{0};
  return time_each(options, [&] {
    word.exchange(1, std::memory_order_acquire);
    word.exchange(0, std::memory_order_release);
  });
}

Result exchange_and_store(const Options& options) {
  std::atomic<std::uint32_t> word{0};
  return time_each(options, [&] {
    word.exchange(1, std::memory_order_acq_rel);
    word.store(0, std::memory_order_release);
  });
}

Result one_load(const Options& options) {
  std::atomic<std::uint32_t> word{1};
  return time_each(options, [&] { keep(word.load(std::memory_order_acquire)); });
}

Result reentry(const Options& options) {
  std::atomic<std::uint32_t> owner{1};
  local_value = 1;
  long depth = 1;
  return time_each(options, [&] {
    if (owner.load(std::memory_order_relaxed) == static_cast<std::uint32_t>(local_value)) ++depth;
    keep(depth);
    if (owner.load(std::memory_order_relaxed) == static_cast<std::uint32_t>(local_value)) --depth;
    keep(depth);
  });
}

// On one processor each thread must sleep for the other to run; on two they may watch.
bool sleeps(const Options& options) {
  return options.placement == Placement::one || options.placement == Placement::late;
}

// Two threads and two words.
Result ping_pong(const Options& options) {
  struct alignas(128) Side {
    std::atomic<std::uint32_t> word{0};
  };
  auto sides = std::make_unique<Side[]>(2);
  std::atomic<bool> stop{false};
  const bool sleep = sleeps(options);
  const auto wait = [sleep](Side& side) {
    while (side.word.load(std::memory_order_acquire) == 0) sleep ? futex_wait(side.word, 0) : pause();
    side.word.store(0, std::memory_order_relaxed);
  };
  const auto wake = [sleep](Side& side) {
    side.word.store(1, std::memory_order_release);
    if (sleep) futex_wake(side.word, 1);
  };
  Team team(options, 2, [&](std::size_t i) {
    if (i == 0) return;
    for (;;) {
      wait(sides[0]);
      if (stop.load(std::memory_order_relaxed)) return;
      wake(sides[1]);
    }
  });
  team.go();
  const Result result = time_rounds(options, [&] {
    wake(sides[0]);
    wait(sides[1]);
  });
  stop.store(true);
  wake(sides[0]);
  team.join();
  return result;
}

// A lock handed over by as little as it takes: a store by the one, an exchange by the other. Asks for no mistakes.
struct Watched {
  class Lock {
   public:
    void lock() {
      while (word_.exchange(1, std::memory_order_acquire) != 0) pause();
    }
    void unlock() { word_.store(0, std::memory_order_release); }

   private:
    std::atomic<std::uint32_t> word_{0};
  };
};
// 0 free, 1 held, 2 held and the other sleeps.
struct Slept {
  class Lock {
   public:
    void lock() {
      while (word_.exchange(2, std::memory_order_acquire) != 0) futex_wait(word_, 2);
    }
    void unlock() {
      if (word_.exchange(0, std::memory_order_release) == 2) futex_wake(word_, 1);
    }

   private:
    std::atomic<std::uint32_t> word_{0};
  };
};
Result hand_over(const Options& options) {
  return sleeps(options) ? run_hand_over<Slept>(options) : run_hand_over<Watched>(options);
}

// All sleep on one word; one call wakes them all.
Result broadcast(const Options& options, std::size_t waiters) {
  std::atomic<std::uint32_t> generation{0};
  std::atomic<std::uint32_t> waiting{0};
  std::atomic<bool> stop{false};
  Team team(options, waiters, [&](std::size_t) {
    while (!stop.load(std::memory_order_relaxed)) {
      const std::uint32_t seen = generation.load();
      if (waiting.fetch_add(1) + 1 == waiters) futex_wake(waiting, 1);
      while (generation.load() == seen) futex_wait(generation, seen);
    }
  });
  team.go();
  const auto round = [&] {
    for (std::uint32_t seen = waiting.load(); seen != waiters; seen = waiting.load()) futex_wait(waiting, seen);
    waiting.store(0);
    generation.fetch_add(1);
    futex_wake(generation, INT_MAX);
  };
  const Result result = time_rounds(options, round);
  for (std::uint32_t seen = waiting.load(); seen != waiters; seen = waiting.load()) futex_wait(waiting, seen);
  stop.store(true);
  generation.fetch_add(1);
  futex_wake(generation, INT_MAX);
  team.join();
  return result;
}

int clone_body(void* ran) {
  static_cast<std::atomic<std::size_t>*>(ran)->fetch_add(1);
  return 0;
}

// clone() onto a stack that is kept, and the kernel's own signal that the thread is gone.
class KernelThread {
 public:
  KernelThread()
      : stack_(static_cast<char*>(
            mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0))) {}
  ~KernelThread() { munmap(stack_, kStack); }
  void start(std::atomic<std::size_t>& ran) {
    constexpr int kFlags =
        CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
    alive_.store(1);
    clone(&clone_body, stack_ + kStack, kFlags, &ran, nullptr, nullptr, &alive_);
  }
  void join() {
    // The kernel's wake at exit is not a private one.
    while (alive_.load() != 0) syscall(SYS_futex, &alive_, FUTEX_WAIT, 1, nullptr, nullptr, 0);
  }

 private:
  static constexpr std::size_t kStack = 64 * 1024;
  char* stack_;
  std::atomic<std::uint32_t> alive_{0};
};

Result thread_start_join(const Options& options) {
  KernelThread thread;
  std::atomic<std::size_t> ran{0};
  return time_rounds(options, [&] {
    thread.start(ran);
    thread.join();
  });
}

Result thread_batch(const Options& options) {
  constexpr std::size_t kBatch = 64;
  std::vector<KernelThread> threads(kBatch);
  std::atomic<std::size_t> ran{0};
  Result result = time_rounds(options, [&] {
    for (KernelThread& thread : threads) thread.start(ran);
    for (KernelThread& thread : threads) thread.join();
  });
  result.ns /= kBatch;
  result.switches /= kBatch;
  return result;
}

Result local_access(const Options& options) {
  return time_each(options, [] {
    ++local_value;
    keep(local_value);
  });
}

}  // namespace

void add_limits() {
  constexpr const char* kLimit = "limit";
  for (const char* row : {"lock_pair", "lock_timed", "rlock_pair", "semaphore_pair"}) add(row, kLimit, two_exchanges);
  for (const char* row : {"try_held", "notify_idle", "event_set_again", "event_wait_set"}) add(row, kLimit, one_load);
  add("event_set_clear", kLimit, exchange_and_store);
  add("rlock_reentry", kLimit, reentry);
  for (const char* row : {"condition_ping_pong", "event_ping_pong", "semaphore_ping_pong", "barrier_2"}) {
    add(row, kLimit, ping_pong);
  }
  add("lock_hand_over", kLimit, hand_over);
  add("condition_broadcast_8", kLimit, [](const Options& options) { return broadcast(options, 8); });
  add("condition_broadcast_64", kLimit, [](const Options& options) { return broadcast(options, 64); });
  add("barrier_1", kLimit, exchange_and_store);
  add("thread_start_join", kLimit, thread_start_join);
  add("thread_batch_64", kLimit, thread_batch);
  add("local_access", kLimit, local_access);
}

}  // namespace bench
