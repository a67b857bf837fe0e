// SPDX-License-Identifier: MIT
//
// The mechanism under every blocking call of this library: queues of waiting threads, keyed by address. A primitive
// keeps one small word and calls the lot only when somebody must sleep or be woken, so it needs no memory for its
// waiters. Build your own primitive on it and its waiters show up in dump() like ours.
//
//   park()      queue up under an address and sleep, if a check under the queue lock still says so
//   unpark()    decide under the queue lock how many waiters go, first come first served
//   requeue()   move waiters to the queue of another address without waking them
//
// Guarantees
//  - Atomic: no unpark() or requeue() on the same address happens between `validate` and the thread being queued.
//  - FIFO: waiters leave in the order they queued up, except those that asked for ParkOptions::at_front.
//  - Nothing spurious: park() returns only for the reasons ParkOutcome lists.
//  - Nothing early: `timed_out` never comes before the deadline.
//
// Callbacks run under the lock of the address's queue. They must be noexcept and short, and must not call the lot,
// allocate, block, or run user code; they may read and write the primitive's own word. A word that says "someone
// waits" may be set and cleared only in these callbacks; it may be stale (set with nobody there), never the reverse.
//
// Lifetime: the lot never reads the memory behind an address. Whoever wakes a waiter may see the primitive destroyed
// by it as soon as the callback has run: after unpark() only the address may be used.
//
// Source: the idea is WebKit's ParkingLot (Filip Pizlo, 2015) and the futex before it; one queue per address inside a
// bucket follows Go's semaphore table.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <threading/detail/backend.hpp>
#include <threading/detail/deadline.hpp>
#include <threading/detail/function_ref.hpp>
#include <threading/detail/per_thread.hpp>

namespace threading::inline v1 {

using detail::ThreadToken;

// What a waiting thread waits for, as dump() shows it. One static object per class of primitive.
struct WaitKind {
  const char* name;  // "Lock", "Event" …
  // The token of the thread that holds the object at `key`, 0 for none or unknown; null when nobody ever does.
  // Called by dump() under the queue lock while somebody waits there, so the object is alive.
  ThreadToken (*owner)(const void* key) noexcept = nullptr;
  // Only the library's own helper threads wait for it: dump() leaves them out.
  bool is_internal = false;
};

enum class ParkOutcome : std::uint8_t {
  woken,        // an unpark() chose this thread; `token` is what it said
  changed,      // `validate` returned false: never queued
  timed_out,    // the deadline passed first
  interrupted,  // a signal handler ran (if asked for), or stop was requested
};

struct [[nodiscard]] ParkResult {
  ParkOutcome outcome;
  std::uintptr_t token = 0;
};

// For runtimes whose signal handlers run in ordinary code: called on the waiting thread, which keeps its place in the
// queue meanwhile, each time a signal handler has interrupted it, and every second or so besides: a signal that arrives
// just before the thread falls asleep interrupts nothing. No lock is held; it may block and use the lot, and even wait
// for threads that are queued behind its own: if requeue() has moved that one to what can be held (WaitKind::owner), an
// unpark() that finds it at the front lets go of it with the token 0 before it decides and does not count it, as if it
// were not there.
// Returns: whether the wait goes on; false ends it with `interrupted`, unless the thread has been chosen meanwhile.
// It must return: neither an exception nor a forced unwind may leave it. It may fork, and return in the child too: the
// wait goes on there, or, if it was moved to what can be held, ends with `woken` and the token 0.
struct SignalHook {
  bool (*stays)(void* context) = nullptr;
  void* context = nullptr;
};

struct ParkOptions {
  Deadline deadline = Deadline::never();
  // Return `interrupted` when a signal handler ran on this thread, instead of sleeping on. (futex parker only)
  bool interruptible = false;
  SignalHook on_signal = {};  // asked first, if `interruptible`
  // Ends the wait when stop is requested. Null: none. The token outlives the call.
  const detail::backend::stop_token* stop = nullptr;
  // Queue up before everybody else: for a thread that was woken and lost the race for what it was woken for.
  bool at_front = false;
  // When this thread began to wait, for a park() that continues an earlier one; 0: now. monotonic_now() nanoseconds.
  std::int64_t since = 0;
};

// Why a waiter leaves without having been woken.
enum class LeaveReason : std::uint8_t { timeout, signal, stop };

// Nanoseconds after which a queued thread may be handed what it waits for, so that it loses to none that arrived later;
// and at least between two such hand-overs. See docs/adr.
inline constexpr std::int64_t kHandOverAfter = 1'000'000;

// What an unpark() or requeue() callback is told about the queue.
struct QueueView {
  std::size_t size;                // how many wait at this address; 0 is possible
  ThreadToken first;               // who is first; 0 when size is 0
  std::int64_t first_since;        // when that one joined the queue; monotonic_now() nanoseconds
  const WaitKind* kind = nullptr;  // what the first waits for; null when size is 0
  std::int64_t handed_over = 0;    // when something was last handed over in this part of the lot; as first_since

  // Whether one that was woken alone from this queue (UnparkDecision::alone) has yet to run: whatever the caller has
  // changed before this decision, that one sees after its park(). May be false although one is.
  bool one_is_coming = false;

  // Whether the first has waited longer than kHandOverAfter, and the last hand-over is as long ago: hand over, do not
  // let others barge. Reads the clock.
  bool first_overdue() const noexcept {
    return size != 0 && detail::backend::monotonic_now() - std::max(first_since, handed_over) > kHandOverAfter;
  }
};

struct UnparkDecision {
  std::size_t count;         // wake this many from the front; more than size means all
  std::uintptr_t token = 0;  // what park() returns to each of them
  bool hands_over = false;   // they have what they waited for already: noted for QueueView::handed_over
  // Until it runs, QueueView::one_is_coming says so. Requires: count is 1, and who waits here has a hook only if moved.
  bool alone = false;
};

struct RequeueDecision {
  std::size_t wake;          // wake this many from the front (and the next as well if the last of them is in its hook),
  std::size_t move;          // then move this many to the other address; more than there are means the rest
  std::uintptr_t token = 0;  // for those woken here
};

namespace detail {
using ValidateRef = FunctionRef<bool() noexcept>;
using BeforeSleepRef = FunctionRef<void() noexcept>;
using LeaveRef = FunctionRef<void(bool has_more, LeaveReason) noexcept>;
using UnparkRef = FunctionRef<UnparkDecision(const QueueView&) noexcept>;
using RequeueRef = FunctionRef<RequeueDecision(const QueueView&) noexcept>;
}  // namespace detail

// Queues the calling thread under `key` and sleeps.
//
// `validate()` runs first, under the queue lock: false ends the call with `changed`. It is the place to set a
// "someone waits" bit.
// `before_sleep()` runs once if `validate()` returned true, after the thread is queued, with no lock held: the place to
// release the lock that a condition's waiter holds. It may call unpark() and requeue(), on other addresses too.
// `leave(has_more, reason)` runs under the queue lock when this thread leaves without being woken; `has_more` says
// whether others remain at the address. It may run on another thread (stop), while this one still sleeps. It does not
// run, and neither deadline nor interruption counts any more, once requeue() has moved the thread: it then only waits
// to be woken.
//
// Returns: see ParkOutcome. Blocks. Visibility: what the waking thread did before unpark() is seen after `woken`.
THREADING_API ParkResult park(const void* key, const WaitKind& kind, detail::ValidateRef validate,
                              detail::BeforeSleepRef before_sleep, detail::LeaveRef leave,
                              const ParkOptions& options = {});

// Calls `decide` under the queue lock of `key`, also when nobody waits, and wakes as many as it says.
// Returns: the number woken. Wakes.
THREADING_API std::size_t unpark(const void* key, detail::UnparkRef decide) noexcept;

// Calls `decide` under the queue locks of both addresses; wakes and moves waiters of `from`. Moved ones join the end
// of the queue at `to` and wait there as `to_kind`.
// Returns: the number woken or moved. Wakes.
THREADING_API std::size_t requeue(const void* from, const void* to, const WaitKind& to_kind,
                                  detail::RequeueRef decide) noexcept;

// unpark() for a fixed number. Returns: the number woken.
inline std::size_t unpark_one(const void* key, std::uintptr_t token = 0) noexcept {
  return unpark(key, [=](const QueueView&) noexcept { return UnparkDecision{1, token}; });
}
inline std::size_t unpark_all(const void* key, std::uintptr_t token = 0) noexcept {
  return unpark(key, [=](const QueueView& queue) noexcept { return UnparkDecision{queue.size, token}; });
}

}  // namespace threading::inline v1
