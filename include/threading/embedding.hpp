// SPDX-License-Identifier: MIT
//
// For language runtimes that put their own lock objects on this core: what they need and other programs do not.
//
//  - Waits that say why they ended: `ok`, `timed_out`, or `interrupted` when a signal handler ran on the waiting
//    thread. The runtime runs its handlers and waits again with the same Deadline.
//  - The parts of a call separately, so that a runtime can try first while it holds its interpreter lock, let that
//    lock go only to block, and if it likes take it back before it takes ours.
//  - State for inspection and for restoring after fork().
//
// Nothing here takes the interpreter's lock: the runtime does, in plain calls of its own. Between letting it go and
// having it back there must be no destructor that takes it, no noexcept frame and no catch-all, because some runtimes
// end threads there by a forced unwind. blocking() below keeps to that.
#pragma once

#include <cstddef>
#include <cstdint>

#include <threading/barrier.hpp>
#include <threading/condition.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/rlock.hpp>
#include <threading/semaphore.hpp>
#include <threading/thread.hpp>

namespace threading::inline v1 {

struct THREADING_API Embedding {
  using Wait = detail::WaitOptions;     // deadline; interruptible; stop
  using Outcome = detail::WaitOutcome;  // ok, timed_out, interrupted

  // What a runtime does around the part of a call that blocks. Both are plain calls that may not return.
  struct Region {
    void (*leave)(void* context);  // let the interpreter's lock go
    void (*enter)(void* context);  // take it back
    void* context;
  };

  // Runs `call()` between region.leave and region.enter. `call` must not throw.
  template <class Call>
  static auto blocking(const Region& region, Call call) {
    region.leave(region.context);
    const auto result = call();
    region.enter(region.context);
    return result;
  }

  // Lock and RLock. acquire(RLock) re-enters; Throws: OverflowError as RLock::acquire().
  static Outcome acquire(Lock& lock, const Wait& wait);
  static Outcome acquire(RLock& lock, const Wait& wait);
  // Waits until the lock looks free without taking it. A caller that gets `ok` and then does not try to acquire the
  // lock must call pass_on(). Requires, for an RLock: the caller does not own it.
  static Outcome wait_until_free(Lock& lock, const Wait& wait);
  static Outcome wait_until_free(RLock& lock, const Wait& wait);
  static void pass_on(Lock& lock) noexcept;
  static void pass_on(RLock& lock) noexcept;
  // The token of the thread that took the lock; 0: free, or a thread without a token.
  static ThreadToken owner(const Lock& lock) noexcept;
  static ThreadToken owner(const RLock& lock) noexcept;
  static bool is_owned(const RLock& lock) noexcept { return lock.is_owned(); }
  // Levels that the owner holds; exact for the owner, a snapshot for others.
  static std::uint32_t depth(const RLock& lock) noexcept;
  // Gives all levels back and returns how many there were. Requires: is_owned().
  static std::uint32_t release_all(RLock& lock) noexcept;
  // Makes one freshly acquired level `depth` levels. Requires: is_owned(), depth() == 1.
  static void set_depth(RLock& lock, std::uint32_t depth) noexcept { lock.count_depth(depth == 1 ? 0 : depth); }

  // Condition, in two halves. The first queues the thread, releases the lock and waits; the second takes the lock back
  // without bound. Requires of the first: the caller holds the lock. Throws: RuntimeError as Condition::wait().
  using ConditionWait = Condition::Waited;  // outcome; owns; is_early; depth
  static ConditionWait wait_released(Condition& condition, const Wait& wait);
  // Returns: whether the lock was free (or came with the wake-up) and is held now.
  static bool try_take_back(Condition& condition, const ConditionWait& waited) noexcept;
  static void take_back(Condition& condition, const ConditionWait& waited);
  // For a thread that the runtime may end before it comes to take the lock back: if the lock came with the wake-up (or
  // `owns` was set after take_back()), it is released, every level; else, if it is free, the next in line is woken in
  // its place. Afterwards it may still be taken back. Wakes.
  static void let_go(Condition& condition, ConditionWait& waited) noexcept;
  // Waiting and notifying over a lock of the runtime's own, as ConditionOver does it. One word of the runtime's,
  // initially 0. `unlock` is called once the thread is queued.
  using ForeignWord = detail::backend::atomic<std::uint32_t>;
  static Outcome foreign_wait(ForeignWord& word, detail::BeforeSleepRef unlock, const Wait& wait);
  static void foreign_notify(ForeignWord& word, std::size_t n) noexcept;

  // Event and semaphores: one call each, as they hold nothing that must be taken back.
  static Outcome wait(Event& event, const Wait& wait);
  static Outcome acquire(detail::SemaphoreCore& semaphore, const Wait& wait);
  // Adds n units. Requires: n >= 1. Returns: false, and nothing has changed, when the counter would pass its bound.
  static bool release(Semaphore& semaphore, std::ptrdiff_t n) { return semaphore.release_any(n); }
  static bool release(BoundedSemaphore& semaphore, std::ptrdiff_t n) {
    return semaphore.release_up_to(n, semaphore.initial_value());
  }

  // Barrier, in two halves: arrive() returns `must_act` to the last thread of a barrier made with `with_action`; that
  // thread runs the action and then calls finish(), which returns whether the set has passed.
  enum class Arrived : std::uint8_t { passed, must_act, broken, interrupted };
  struct Arrival {
    Arrived what;
    std::size_t index;
  };
  static Arrival arrive(Barrier& barrier, const Wait& wait);
  static bool finish(Barrier& barrier, bool action_failed) noexcept;

  // How many threads wait, by Python's meaning. For inspection.
  static std::size_t waiters(const Condition& condition) noexcept;
  static std::size_t waiters(const Event& event) noexcept;
  static std::size_t waiters(const ForeignWord& word) noexcept;

  // A thread that waits in one of the library's objects, as it was at some moment.
  struct Waiting {
    ThreadToken thread;
    const char* kind;  // "Lock", "Event" …
    const void* object;
    ThreadToken owner;   // who holds the object; 0: nobody, or unknown
    std::int64_t since;  // nanoseconds of the monotonic clock
    Deadline deadline = Deadline::never();
  };
  // Copies up to `capacity` of them. Returns: how many there are; more than `capacity` means call again. For
  // inspection.
  static std::size_t waiting(Waiting* into, std::size_t capacity);

  // Thread::join(). Throws as that.
  static Outcome join(const Thread& thread, const Wait& wait);

  // Threads that the runtime starts and ends by means of its own, and that are Threads like others to everybody else:
  // joined, listed, dumped. They have no body, Thread::start() throws RuntimeError, and the end of the process does not
  // wait for them: their runtime does. `daemon` is for Thread::daemon() alone. Throws: std::bad_alloc.
  static Thread new_thread(bool daemon);
  // As Thread::start(): alive from then on. The runtime then makes the OS thread, or takes the start back.
  // Returns: false, and nothing has changed, if the thread was started before.
  static bool begin(const Thread& thread) noexcept;
  static void take_back(const Thread& thread) noexcept;
  // What Thread::ident() says before enter(), which knows it. Requires: begun.
  static void set_ident(const Thread& thread, Ident ident) noexcept;
  // First thing in the OS thread: it is current_thread() there. It ends with the OS thread, after the destructors of
  // thread-local objects. Requires: begun; the caller has no Thread yet.
  static void enter(const Thread& thread) noexcept;
  // Ends it in the eyes of joiners, as the runtime does with a thread that it will not see the end of. Idempotent.
  static void finish(const Thread& thread) noexcept;
  static bool is_started(const Thread& thread) noexcept;
  static bool is_current(const Thread& thread) noexcept;  // whether the caller runs it
  // Waits for its end, without join()'s checks. Requires: begun, not the caller.
  static Outcome wait_for_end(const Thread& thread, const Wait& wait);

  // What a runtime does around fork(): before, outside of all the library's locks; after it in the parent, inside;
  // after it in the child, where the library is whole again and the caller is the main and only thread. Any may be
  // null. One set for the process: the last one counts.
  static void on_fork(void (*prepare)() noexcept, void (*parent)() noexcept, void (*child)() noexcept) noexcept;
  // Has `function` called when the process begins to end, before it waits for threads; last registered first. It must
  // not throw. Throws: RuntimeError "can't register atexit after shutdown".
  static void on_shutdown(void (*function)());

  // After fork(), in the child: as newly constructed. Nobody else may use the object.
  static void reset_after_fork(Lock& lock) noexcept;
  static void reset_after_fork(RLock& lock) noexcept;
  static void reset_after_fork(Condition& condition) noexcept;  // and the lock of a condition that owns one
  static void reset_after_fork(Event& event) noexcept;          // clear
  static void reset_after_fork(Barrier& barrier) noexcept;
};

}  // namespace threading::inline v1
