// SPDX-License-Identifier: MIT
//
// Word     bit 0 kLocked; bit 1 kQueueLocked; the rest is the address of the first waiter, 0 for none. The first
//          waiter knows the last one.
// States   0 free · L locked · L+q locked with waiters · q free with waiters (one was just woken)
//          · L+Q… locked while somebody joins or leaves the queue.
// Moves    lock: anyone, sets L while clear. join: whoever finds L set takes Q, appends itself, gives Q back.
//          unlock: clears L; with waiters it takes Q, removes the first, gives back Q and L in one store, wakes it.
// I1       Q is taken only while L is set, and L is not cleared while Q is taken (unlock needs Q itself when the word
//          is not exactly L). So a joiner's waiter cannot be left behind by an unlock that did not see it.
// I2       Queue links are touched under Q only. A waiter that was removed belongs to its waker until unpark().
// Orders   R1 release of the stores that clear L pairs with A1, the acquire of the exchanges that set it: the section
//          is visible. R2 release of the stores that clear Q pairs with A2, the acquire of the exchanges that set it:
//          the links are visible.
// Destroy  Buckets are never destroyed.
// A simple spin lock would do for the sections themselves, but not for a holder that lost its processor: on few cores
// the others would burn its time slice. Spinning first, as here, is worth it while the holder runs elsewhere.
// Source: the shape is WebKit's WordLock.
#include "parking/word_lock.hpp"

#include "platform/parker.hpp"

namespace threading::inline v1::parking {
namespace {

namespace backend = detail::backend;

struct Contender {
  platform::Parker parker;
  Contender* next = nullptr;
  Contender* last = nullptr;  // valid in the first waiter
};

// Sections are shorter than a system call by two orders of magnitude: this many pauses (about 40 ns each) outlast any
// holder that is running.
constexpr int kSpins = 40;

constexpr std::uintptr_t kFlags = 3;
static_assert(alignof(Contender) > kFlags, "the flags need two bits of the address");

Contender* first_of(std::uintptr_t word) noexcept { return reinterpret_cast<Contender*>(word & ~kFlags); }

}  // namespace

void WordLock::lock_slow() noexcept {
  int spins = backend::cpu_count() > 1 ? kSpins : 0;
  for (;;) {
    // relaxed: the exchanges decide.
    std::uintptr_t seen = word_.load(std::memory_order_relaxed);
    if ((seen & kLocked) == 0) {
      // A1 acquire pairs with R1.
      if (word_.compare_exchange_weak(seen, seen | kLocked, std::memory_order_acquire, std::memory_order_relaxed)) {
        return;
      }
      continue;
    }
    if (first_of(seen) == nullptr && spins > 0) {
      --spins;
      backend::cpu_relax();
      continue;
    }
    if ((seen & kQueueLocked) != 0) {
      backend::yield();
      continue;
    }
    Contender self;
    self.parker.prepare();
    // A2 acquire pairs with R2. relaxed on failure: look again.
    if (!word_.compare_exchange_weak(seen, seen | kQueueLocked, std::memory_order_acquire, std::memory_order_relaxed)) {
      continue;
    }
    Contender* first = first_of(seen);
    if (first == nullptr) {
      first = &self;
    } else {
      first->last->next = &self;
    }
    first->last = &self;
    // R2 release pairs with A2. L stays as it is: it cannot have changed (I1).
    word_.store(reinterpret_cast<std::uintptr_t>(first) | kLocked, std::memory_order_release);
    static_cast<void>(self.parker.park(Deadline::never(), false));
    spins = 0;  // it was just handed a chance: sleep again at once if that is lost
  }
}

void WordLock::unlock_slow() noexcept {
  for (;;) {
    // relaxed: the exchanges decide.
    std::uintptr_t seen = word_.load(std::memory_order_relaxed);
    if (seen == kLocked) {
      // R1 release pairs with A1.
      if (word_.compare_exchange_weak(seen, 0, std::memory_order_release, std::memory_order_relaxed)) return;
      continue;
    }
    if ((seen & kQueueLocked) != 0) {
      backend::yield();
      continue;
    }
    // A2 acquire pairs with R2.
    if (word_.compare_exchange_weak(seen, seen | kQueueLocked, std::memory_order_acquire, std::memory_order_relaxed)) {
      Contender* const first = first_of(seen);
      Contender* const next = first->next;
      if (next != nullptr) next->last = first->last;
      // R1, R2 release pairs with A1 and A2: gives back both locks.
      word_.store(reinterpret_cast<std::uintptr_t>(next), std::memory_order_release);
      first->parker.unpark();
      return;
    }
  }
}

}  // namespace threading::inline v1::parking
