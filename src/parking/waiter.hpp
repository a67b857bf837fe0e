// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include <threading/parking_lot.hpp>

#include "platform/parker.hpp"

namespace threading::inline v1::parking {

// One thread that waits in the lot. It lives on that thread's stack for the length of one park(): no allocation, no
// thread-local storage that might be gone already, nothing to free at thread exit, and what dump() shows is exactly
// what is queued.
//
// Who may touch what: the owner sets everything before it takes the bucket's lock. While `queued`, all but `parker` and
// `ahead` belong to the lock of the bucket that `key` names. Once `queued` is false, they belong to whoever
// removed it, until that thread calls parker.unpark(); afterwards to the owner.
//
// The parker, at which the owner looks again and again, shares no line of memory with what others write: each of these
// writes would wait for the line, and the owner's next look fetch it back.
struct alignas(64) Waiter {
  Waiter(const void* at, const WaitKind& what, detail::LeaveRef on_leave) noexcept
      : home(at), leave(on_leave), key(at), kind(&what) {}

  platform::Parker parker;
  const void* const home;  // where it was queued first
  detail::LeaveRef leave;
  std::int64_t since = 0;  // when the wait began, for dump()
  Deadline deadline = Deadline::never();
  Waiter* outer = nullptr;  // while its hook is asked: the wait in whose hook this one began
  std::size_t ahead = 0;    // queued at its address before it; set when it joins, then its own

  // Changed by requeue() under both buckets' locks; read without a lock only to find the bucket, then read again.
  alignas(64) detail::backend::atomic<const void*> key;
  const WaitKind* kind;
  std::uintptr_t token = 0;       // from whoever woke it
  std::int64_t queued_since = 0;  // when it joined the present queue for the first time, for fairness
  ThreadToken thread = 0;
  int cpu = -1;  // where it began to wait, for the backoff policy
  bool queued = false;
  bool moved = false;           // by requeue(): only an unpark() ends the wait now
  bool stop_requested = false;  // stays set
  bool stopped = false;         // removed by a stop request
  bool comes_alone = false;     // as UnparkDecision::alone says
  bool away = false;            // in its hook, which it does not enter once it is chosen
  bool orphaned = false;        // in a forked child: it had been chosen, by a thread that is not there to wake it

  // The queue it is in: see bucket.hpp.
  Waiter* next = nullptr;
  Waiter* previous = nullptr;
  // Valid in the first of a queue.
  Waiter* last = nullptr;
  Waiter* next_queue = nullptr;
  Waiter* previous_queue = nullptr;
  std::size_t size = 0;
};

}  // namespace threading::inline v1::parking
