// SPDX-License-Identifier: MIT
//
// Designs that we tried or considered and did not take, kept so that the next person need not write them again.
// docs/performance says what they lose, and docs/adr where they were measured.
//
//   design:spin        spins until it is free, with exponential pauses. Fast while threads are fewer than processors,
//                      and nobody loses his; no fairness at all.
//   design:spin-exchange  the same, but frees with an exchange, as a lock must whose release asks who waits
//   design:spin-look   the same, but looks at the word before it frees it: the line is fetched twice
//   design:spin-eager  as TBB's: exchanges without a look, pauses less, frees with a store
//   design:spin-checks the same, but looks whether it is held before it stores, as a lock must that reports misuse
//   design:spin-eager-exchange  as spin-eager, but frees with an exchange, which has looked
//   design:ticket      first come first served, spinning. Stops dead when the next in line is not running.
//   design:no-spin     a futex word with three values; contenders sleep at once
//   design:fixed-spin  the same after a fixed number of pauses, on one processor as on many
//   design:barging     our queue without hand-over: a freed lock is for whoever comes
//   design:hand-over   our queue with nothing else: a freed lock belongs to the first in the queue
//   design:asymmetric  the owner frees with a plain store; the first to wait makes every processor look (membarrier)
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <climits>

#include <threading/parking_lot.hpp>

#include "../rivals.hpp"

namespace bench {
namespace {

void futex_wait(const void* word, std::uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}
void futex_wake(const void* word, int count) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}
void pause() { __builtin_ia32_pause(); }

enum class Release : std::uint8_t { stores, checks, exchanges, looks_first };

template <Release kRelease, bool kIsEager = false>
struct SpinLocks {
  static constexpr bool kNeverSleeps = true;
  class Lock {
   public:
    void lock() {
      int pauses = 1;
      while (!try_lock()) {
        for (int i = 0; i != pauses; ++i) pause();
        if (pauses < (kIsEager ? 16 : 64)) {
          pauses *= 2;
        } else {
          sched_yield();  // on one processor it would burn a whole time slice
        }
      }
    }
    bool try_lock() {
      return (kIsEager || held_.load(std::memory_order_relaxed) == 0) &&
             held_.exchange(1, std::memory_order_acquire) == 0;
    }
    void unlock() {
      std::uint32_t seen = 1;
      switch (kRelease) {
        case Release::checks:
          if (held_.load(std::memory_order_relaxed) == 0) __builtin_trap();
          [[fallthrough]];
        case Release::stores: held_.store(0, std::memory_order_release); break;
        case Release::looks_first: seen = held_.load(std::memory_order_relaxed); [[fallthrough]];
        case Release::exchanges: held_.compare_exchange_strong(seen, 0, std::memory_order_release); break;
      }
    }

   private:
    std::atomic<std::uint32_t> held_{0};
  };
};
struct Spin : SpinLocks<Release::stores> {
  static constexpr const char* kName = "design:spin";
};
struct SpinExchange : SpinLocks<Release::exchanges> {
  static constexpr const char* kName = "design:spin-exchange";
};
struct SpinLook : SpinLocks<Release::looks_first> {
  static constexpr const char* kName = "design:spin-look";
};

struct SpinEager : SpinLocks<Release::stores, true> {
  static constexpr const char* kName = "design:spin-eager";
};
struct SpinEagerExchange : SpinLocks<Release::exchanges, true> {
  static constexpr const char* kName = "design:spin-eager-exchange";
};
struct SpinChecks : SpinLocks<Release::checks, true> {
  static constexpr const char* kName = "design:spin-checks";
};

struct Ticket {
  static constexpr const char* kName = "design:ticket";
  static constexpr bool kNeverSleeps = true;
  class Lock {
   public:
    void lock() {
      const std::uint32_t mine = next_.fetch_add(1, std::memory_order_relaxed);
      for (int pauses = 0; serving_.load(std::memory_order_acquire) != mine; ++pauses) {
        pauses < 1000 ? pause() : static_cast<void>(sched_yield());
      }
    }
    bool try_lock() {
      std::uint32_t serving = serving_.load(std::memory_order_relaxed);
      return next_.compare_exchange_strong(serving, serving + 1, std::memory_order_acquire, std::memory_order_relaxed);
    }
    void unlock() { serving_.store(serving_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

   private:
    std::atomic<std::uint32_t> next_{0};
    std::atomic<std::uint32_t> serving_{0};
  };
};

// 0 free, 1 held, 2 held and somebody may sleep.
template <int kPauses>
class FutexLock {
 public:
  void lock() {
    if (take_free()) return;
    for (int i = 0; i != kPauses; ++i) {
      if (word_.load(std::memory_order_relaxed) == 0 && take_free()) return;
      pause();
    }
    while (word_.exchange(2, std::memory_order_acquire) != 0) futex_wait(&word_, 2);
  }
  bool try_lock() { return word_.load(std::memory_order_relaxed) == 0 && take_free(); }
  void unlock() {
    if (word_.exchange(0, std::memory_order_release) == 2) futex_wake(&word_, 1);
  }

 private:
  bool take_free() {
    std::uint32_t seen = 0;
    return word_.compare_exchange_strong(seen, 1, std::memory_order_acquire, std::memory_order_relaxed);
  }
  std::atomic<std::uint32_t> word_{0};
};

template <int kPauses>
class FutexEvent {
 public:
  void set() {
    word_.store(1, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) != 0) futex_wake(&word_, INT_MAX);
  }
  void clear() { word_.store(0, std::memory_order_relaxed); }
  bool is_set() { return word_.load(std::memory_order_acquire) != 0; }
  void wait() {
    for (int i = 0; i != kPauses; ++i) {
      if (is_set()) return;
      pause();
    }
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    while (!is_set()) futex_wait(&word_, 0);
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint32_t> word_{0};
  std::atomic<std::uint32_t> sleepers_{0};
};

template <int kPauses>
class FutexSemaphore {
 public:
  explicit FutexSemaphore(unsigned count) : count_(count) {}
  void acquire() {
    for (int i = 0; i <= kPauses; ++i) {
      if (try_acquire()) return;
      pause();
    }
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    while (!try_acquire()) futex_wait(&count_, 0);
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
  }
  void release() {
    count_.fetch_add(1, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) != 0) futex_wake(&count_, 1);
  }

 private:
  bool try_acquire() {
    std::uint32_t seen = count_.load(std::memory_order_seq_cst);
    while (seen != 0) {
      if (count_.compare_exchange_weak(seen, seen - 1, std::memory_order_acquire)) return true;
    }
    return false;
  }
  std::atomic<std::uint32_t> count_;
  std::atomic<std::uint32_t> sleepers_{0};
};

struct NoSpin {
  static constexpr const char* kName = "design:no-spin";
  using Lock = FutexLock<0>;
  using Event = FutexEvent<0>;
  using Semaphore = FutexSemaphore<0>;
};

struct FixedSpin {
  static constexpr const char* kName = "design:fixed-spin";
  using Lock = FutexLock<300>;
  using Event = FutexEvent<300>;
  using Semaphore = FutexSemaphore<300>;
};

// 1 held, 2 parked; the queue is the lot's.
template <bool kHandsOver>
class QueueLock {
 public:
  void lock() {
    if (try_lock()) return;
    for (;;) {
      const auto result = threading::park(
          &word_, kKind,
          [this]() noexcept {
            std::uint32_t seen = word_.load();
            while ((seen & 1) != 0) {
              if (word_.compare_exchange_weak(seen, seen | 2)) return true;
            }
            return false;
          },
          []() noexcept {}, [](bool, threading::LeaveReason) noexcept {});
      if (result.outcome == threading::ParkOutcome::woken && result.token == 1) return;
      if (try_lock()) return;
    }
  }
  bool try_lock() {
    std::uint32_t seen = word_.load(std::memory_order_relaxed);
    while ((seen & 1) == 0) {
      if (word_.compare_exchange_weak(seen, seen | 1, std::memory_order_acquire, std::memory_order_relaxed))
        return true;
    }
    return false;
  }
  void unlock() {
    std::uint32_t seen = 1;
    if (word_.compare_exchange_strong(seen, 0, std::memory_order_release, std::memory_order_relaxed)) return;
    threading::unpark(&word_, [this](const threading::QueueView& queue) noexcept -> threading::UnparkDecision {
      const std::uint32_t parked = queue.size > 1 ? 2 : 0;
      const bool hands_over = kHandsOver && queue.size != 0;
      word_.store(parked | (hands_over ? 1u : 0u), std::memory_order_release);
      return {1, hands_over ? 1u : 0u};
    });
  }

 private:
  static constexpr threading::WaitKind kKind{"QueueLock", nullptr};
  std::atomic<std::uint32_t> word_{0};
};

struct Barging {
  static constexpr const char* kName = "design:barging";
  using Lock = QueueLock<false>;
};
struct HandOver {
  static constexpr const char* kName = "design:hand-over";
  using Lock = QueueLock<true>;
};

// The owner frees with a store and then looks for waiters. On x86 the store may still be in its buffer when it looks;
// so whoever comes to wait announces itself, lets the kernel interrupt every processor, which empties the buffers, and
// only then looks again. While somebody waits, the lock is hot and the owner pays for a real exchange.
class AsymmetricLock {
 public:
  AsymmetricLock() {
    static const bool registered = [] {
      return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
    }();
    keep(registered);
  }
  void lock() {
    if (try_lock()) return;
    waiters_.fetch_add(1, std::memory_order_seq_cst);
    for (bool looked = false;; looked = true) {
      if (hot_.exchange(1, std::memory_order_seq_cst) == 0 || !looked) {
        syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
      }
      if (try_lock()) break;
      futex_wait(&held_, 1);
    }
    if (waiters_.fetch_sub(1, std::memory_order_seq_cst) == 1) hot_.store(0, std::memory_order_relaxed);
  }
  bool try_lock() {
    return held_.load(std::memory_order_relaxed) == 0 && held_.exchange(1, std::memory_order_acquire) == 0;
  }
  void unlock() {
    held_.store(0, std::memory_order_release);
    if (waiters_.load(std::memory_order_relaxed) != 0) futex_wake(&held_, 1);
  }

 private:
  std::atomic<std::uint32_t> held_{0};
  std::atomic<std::uint32_t> waiters_{0};
  std::atomic<std::uint32_t> hot_{0};
};

struct Asymmetric {
  static constexpr const char* kName = "design:asymmetric";
  using Lock = AsymmetricLock;
};

}  // namespace

void add_designs() {
  add_rows<Spin>();
  add_rows<SpinExchange>();
  add_rows<SpinLook>();
  add_rows<SpinEager>();
  add_rows<SpinEagerExchange>();
  add_rows<SpinChecks>();
  add_rows<Ticket>();
  add_rows<NoSpin>();
  add_rows<FixedSpin>();
  add_rows<Barging>();
  add_rows<HandOver>();
  add_rows<Asymmetric>();
}

}  // namespace bench
