// SPDX-License-Identifier: MIT
//
// Word     bit 0 broken; bit 1 draining; bit 2 failed; bits 3–31 how many have arrived.
// States   filling: all flags clear, 0 … parties-1 arrived and queued at the word's address.
//          draining: a full set has arrived; one of them runs the action, the others are queued at draining_key().
//          draining + failed (or + broken): the same, but reset() (or abort()) came meanwhile.
//          broken: nobody can pass until reset(). Threads that are on their way out may still be queued.
// Moves    arrive: counts and queues the thread in one step. complete: the last one, without an action: counter to 0,
//          all woken; with an action: draining, all moved. finish: the acting thread, to filling or broken, all woken.
//          abort, reset: anyone. leave: timeout and stop set broken, a signal takes the count back.
// I1       The word is written only under the lock of the bucket of its own address. In that critical section a thread
//          is counted and queued, or uncounted and unqueued, together. So nobody needs generations: each waiter learns
//          from its waker's token how its set ended, whatever the barrier does next. A fast thread that comes back
//          before slow ones have left meets an empty queue and a counter that starts anew.
// I2       Threads in draining have arrived in full: neither timeout nor stop counts for them any more (the lot's I3).
// I3       Only one set drains at a time: newcomers wait at newcomers_key() until it is over.
// Orders   The word itself is relaxed where the bucket's lock is held; broken() and n_waiting() are snapshots. What a
//          party did before wait() reaches the last one through the bucket's lock, and all others through the wake.
// Destroy  The last access of a completing thread is under the bucket's lock, before anyone is woken; what it returns
//          is on its stack. Woken threads do not look at the barrier again.
// Source: states and vocabulary are those of CPython's Barrier, itself after java.util.concurrent.CyclicBarrier.
#include <threading/barrier.hpp>

#include <utility>

namespace threading::inline v1 {
namespace {

using detail::WaitOptions;

constexpr std::uint32_t kBroken = 1;
constexpr std::uint32_t kDraining = 2;
constexpr std::uint32_t kFailed = 4;
constexpr std::uint32_t kOne = 8;
constexpr std::size_t kMaxParties = std::size_t{1} << 28;

constexpr std::uintptr_t kPassedToken = 0;
constexpr std::uintptr_t kBrokenToken = 1;

constexpr std::uint32_t arrived_in(std::uint32_t word) noexcept { return word / kOne; }

std::uint32_t checked_parties(std::size_t parties) {
  if (parties < 1 || parties > kMaxParties) throw ValueError("parties must be >= 1");
  return static_cast<std::uint32_t>(parties);
}

}  // namespace

namespace detail {
const WaitKind kBarrierKind{"Barrier", nullptr};
}

Barrier::Barrier(std::size_t parties, std::function<void()> action, Timeout timeout)
    : parties_(checked_parties(parties)),
      action_(action ? std::make_unique<std::function<void()>>(std::move(action)) : nullptr),
      timeout_ns_(timeout.nanoseconds()),
      timeout_kind_(timeout.kind()) {}

Barrier::~Barrier() = default;

std::size_t Barrier::wait_for_others(Timeout timeout, const detail::backend::stop_token* stop) {
  if (parties_ == 1 && action_ == nullptr) {
    // Nobody to wait for and nothing to publish.
    if (broken()) throw BrokenBarrierError();
    return 0;
  }
  const Arrival arrival = enter({.deadline = timeout.deadline(), .stop = stop});
  switch (arrival.step) {
    case Step::passed: return arrival.index;
    case Step::must_act: {
      bool done = false;
      struct Finish {  // also when the action throws
        Barrier& barrier;
        bool& done;
        ~Finish() {
          if (!done) barrier.finish_draining(true);
        }
      } finish{*this, done};
      (*action_)();
      done = true;
      if (!finish_draining(false)) throw BrokenBarrierError();
      return arrival.index;
    }
    case Step::full:
    case Step::draining:
    case Step::broken:
    case Step::timed_out:
    case Step::interrupted: break;
  }
  throw BrokenBarrierError();
}

// Arrives and waits. Returns: passed, must_act, broken, timed_out or interrupted.
Barrier::Arrival Barrier::enter(const WaitOptions& options) {
  for (;;) {
    Arrival arrival = is_full() ? complete() : arrive(options);
    if (arrival.step == Step::draining) arrival = wait_while_draining(options);
    switch (arrival.step) {
      case Step::full:
      case Step::draining: continue;
      case Step::timed_out:
      case Step::interrupted: wake_rest_of_broken_set(); return arrival;
      case Step::passed:
      case Step::must_act:
      case Step::broken: return arrival;
    }
  }
}

// Whether the next to arrive seems to be the last.
bool Barrier::is_full() const noexcept {
  return arrived_in(word_.load(std::memory_order_relaxed)) + 1 == parties_;  // relaxed: hint; complete() looks again
}

// Counts the calling thread in and waits. Returns: full when it is the last: complete() must be called.
Barrier::Arrival Barrier::arrive(const WaitOptions& options) {
  Arrival arrival{Step::passed};
  // relaxed in all callbacks: the word is under the bucket's lock (I1).
  const auto count_in = [&]() noexcept {
    const std::uint32_t word = word_.load(std::memory_order_relaxed);
    arrival.index = arrived_in(word);
    if ((word & kBroken) != 0) {
      arrival.step = Step::broken;
    } else if ((word & kDraining) != 0) {
      arrival.step = Step::draining;
    } else if (arrival.index + 1 == parties_) {
      arrival.step = Step::full;
    } else {
      word_.store(word + kOne, std::memory_order_relaxed);
      return true;
    }
    return false;
  };
  const auto leave = [&](bool, LeaveReason reason) noexcept {
    const std::uint32_t word = word_.load(std::memory_order_relaxed);  // relaxed: as above
    word_.store(reason == LeaveReason::signal ? word - kOne : word | kBroken, std::memory_order_relaxed);
  };
  const ParkResult result = park(&word_, detail::kBarrierKind, count_in, []() noexcept {}, leave,
                                 {.deadline = options.deadline,
                                  .interruptible = options.interruptible,
                                  .on_signal = options.on_signal,
                                  .stop = options.stop});
  switch (result.outcome) {
    case ParkOutcome::changed: break;
    case ParkOutcome::woken: arrival.step = result.token == kPassedToken ? Step::passed : Step::broken; break;
    case ParkOutcome::timed_out: arrival.step = Step::timed_out; break;
    case ParkOutcome::interrupted: arrival.step = Step::interrupted; break;
  }
  return arrival;
}

// A newcomer waits for the set before it, without its timeout: that set is full, so it is only a matter of its action.
// It has not arrived yet: a stop request sends it away without breaking anything.
Barrier::Arrival Barrier::wait_while_draining(const WaitOptions& options) {
  Arrival arrival{Step::draining};
  // relaxed: finish_draining() clears the flag before it takes this queue's lock to wake whoever is in it.
  const auto still_draining = [&]() noexcept { return (word_.load(std::memory_order_relaxed) & kDraining) != 0; };
  const ParkResult result = park(
      newcomers_key(), detail::kBarrierKind, still_draining, []() noexcept {}, [](bool, LeaveReason) noexcept {},
      {.interruptible = options.interruptible, .on_signal = options.on_signal, .stop = options.stop});
  if (result.outcome == ParkOutcome::interrupted) arrival.step = Step::interrupted;
  return arrival;
}

// By the last to arrive. Returns: passed when everybody was let go; must_act when everybody waits for the action;
// full when the barrier is not full after all: arrive instead.
Barrier::Arrival Barrier::complete() noexcept {
  Arrival arrival{Step::full, parties_ - std::size_t{1}};
  const Step done = action_ == nullptr ? Step::passed : Step::must_act;
  const std::uint32_t next = action_ == nullptr ? 0 : kDraining;
  // relaxed: the word is under the bucket's lock (I1).
  const auto close = [&]() noexcept {
    const std::uint32_t word = word_.load(std::memory_order_relaxed);
    if (word != (parties_ - 1) * kOne) return false;
    word_.store(next, std::memory_order_relaxed);
    arrival.step = done;
    return true;
  };
  if (action_ == nullptr) {
    unpark(&word_, [&](const QueueView& queue) noexcept -> UnparkDecision {
      return {close() ? queue.size : 0, kPassedToken};
    });
  } else {
    requeue(&word_, draining_key(), detail::kBarrierKind, [&](const QueueView& queue) noexcept -> RequeueDecision {
      return {0, close() ? queue.size : 0};
    });
  }
  if (arrival.step != Step::full) return arrival;
  const std::uint32_t word = word_.load(std::memory_order_relaxed);  // relaxed: hint; arrive() looks again
  if ((word & kBroken) != 0) arrival.step = Step::broken;
  if ((word & kDraining) != 0) arrival.step = Step::draining;
  return arrival;
}

// By the acting thread. Returns: whether the set has passed.
bool Barrier::finish_draining(bool action_failed) noexcept {
  bool passed = false;
  const void* const newcomers = newcomers_key();
  requeue(draining_key(), &word_, detail::kBarrierKind, [&](const QueueView& queue) noexcept -> RequeueDecision {
    const std::uint32_t word = word_.load(std::memory_order_relaxed);  // relaxed: under the bucket's lock (I1)
    const bool broken = action_failed || (word & kBroken) != 0;
    passed = !broken && (word & kFailed) == 0;
    word_.store(broken ? kBroken : 0, std::memory_order_relaxed);  // relaxed: as above
    return {queue.size, 0, passed ? kPassedToken : kBrokenToken};
  });
  unpark_all(newcomers);
  return passed;
}

// By a thread that left. If that broke the barrier, and nobody has mended it since, the others must not go on waiting.
void Barrier::wake_rest_of_broken_set() noexcept {
  unpark(&word_, [&](const QueueView& queue) noexcept -> UnparkDecision {
    // relaxed: under the bucket's lock (I1).
    if ((word_.load(std::memory_order_relaxed) & kBroken) == 0) return {0};
    return {queue.size, kBrokenToken};
  });
}

// Changes flags; whoever waits in filling gets BrokenBarrierError.
void Barrier::wake_all_broken(std::uint32_t clear, std::uint32_t set) noexcept {
  unpark(&word_, [&](const QueueView& queue) noexcept -> UnparkDecision {
    const std::uint32_t word = word_.load(std::memory_order_relaxed);  // relaxed: under the bucket's lock (I1)
    const std::uint32_t draining = word & (kDraining | kFailed | kBroken);
    // While draining the counter is 0 already, and a reset() makes the set fail, whatever was said before.
    const std::uint32_t failed = (word & kDraining) != 0 && clear != 0 ? kFailed : 0;
    word_.store((draining & ~clear) | failed | set, std::memory_order_relaxed);  // relaxed: as above
    return {queue.size, kBrokenToken};
  });
}

void Barrier::reset() noexcept { wake_all_broken(kBroken, 0); }

void Barrier::abort() noexcept { wake_all_broken(0, kBroken); }

std::size_t Barrier::n_waiting() const noexcept {
  const std::uint32_t word = word_.load(std::memory_order_relaxed);  // relaxed: a snapshot
  return (word & (kBroken | kDraining)) != 0 ? 0 : arrived_in(word);
}

bool Barrier::broken() const noexcept {
  return (word_.load(std::memory_order_relaxed) & kBroken) != 0;  // relaxed: a snapshot
}

}  // namespace threading::inline v1
