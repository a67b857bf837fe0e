// SPDX-License-Identifier: MIT
//
// Word     state_: 0 kWoken, 1 kAwake (the owner is awake: it prepares, spins or looks around), 2 kAsleep (the owner
//          is, or is about to be, inside the kernel).
// States   prepare → kAwake → (park) kAsleep → (unpark) kWoken, or kAwake → (unpark) kWoken without any system call.
// Moves    owner: any → kAwake in prepare(), kAwake → kAsleep in park(). waker: kAwake or kAsleep → kWoken, once.
// I1       kWoken is final until the next prepare(). So the owner cannot miss it, whenever it looks.
// I2       The waker calls the kernel only if it replaced kAsleep: nobody spinning costs a system call.
// Orders   R1 release of the exchange to kWoken pairs with A1, the acquire loads by which the owner sees kWoken: what
//          the waker did before unpark() is visible. kAwake and kAsleep publish nothing: relaxed. The kernel compares
//          the word under its own lock, so a wake between the store of kAsleep and the sleep is not lost.
// Destroy  After R1 the owner may leave. The waker then passes the address to futex_wake() without reading it; if
//          something else sleeps there by now it sees a spurious wake-up, which every futex user must expect.
#include "platform/parker_futex.hpp"

namespace threading::inline v1::platform {
namespace {

using detail::backend::FutexOutcome;

constexpr std::uint32_t kWoken = 0;
constexpr std::uint32_t kAwake = 1;
constexpr std::uint32_t kAsleep = 2;

}  // namespace

void FutexParker::prepare() noexcept {
  // relaxed: nobody else sees the parker yet; the queue's lock publishes it.
  state_.store(kAwake, std::memory_order_relaxed);
}

bool FutexParker::is_woken() const noexcept {
  // A1 acquire pairs with R1.
  return state_.load(std::memory_order_acquire) == kWoken;
}

ParkerOutcome FutexParker::park(Deadline deadline, bool interruptible) noexcept {
  std::uint32_t seen = kAwake;
  // A1 acquire on failure pairs with R1; on success it is stronger than need be, as compilers ask for.
  if (!state_.compare_exchange_strong(seen, kAsleep, std::memory_order_acquire, std::memory_order_acquire) &&
      seen == kWoken) {
    return ParkerOutcome::woken;
  }
  for (;;) {
    FutexOutcome outcome = FutexOutcome::timed_out;
    if (!deadline.expired()) outcome = detail::backend::futex_wait(state_, kAsleep, deadline.nanoseconds());
    if (is_woken()) return ParkerOutcome::woken;
    switch (outcome) {
      case FutexOutcome::timed_out:
        // Some systems do not wait as long as told.
        if (deadline.expired()) return ParkerOutcome::timed_out;
        break;
      case FutexOutcome::interrupted:
        if (interruptible) return ParkerOutcome::interrupted;
        break;
      case FutexOutcome::woken:
      case FutexOutcome::changed: break;
    }
  }
}

void FutexParker::unpark() noexcept {
  const void* const address = &state_;
  // R1 release pairs with A1.
  if (state_.exchange(kWoken, std::memory_order_release) == kAsleep) detail::backend::futex_wake(address, 1);
}

}  // namespace threading::inline v1::platform
