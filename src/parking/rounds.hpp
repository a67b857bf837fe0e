// SPDX-License-Identifier: MIT
//
// How long a thread takes from one lock to the next: a round, with what it does inside of the lock and outside.
//
// A contender that takes a lock at once fetches the lock's line from another processor, a hundred nanoseconds or so.
// Where a round takes much less, it is better to leave the lock with whoever has it, and to come rarely; where it takes
// more, each has its own work to do meanwhile, and to come rarely leaves one of two processors idle. What a contender
// sees of the lock's word is the same in both cases. So each thread now and then takes the time from the moment it got
// a lock for which it had to contend to the moment it has to contend again, and divides by the locks that it has freed
// meanwhile. See ADR 36.
//
// All fields are the thread's own.
#pragma once

#include <cstdint>

#include <threading/detail/per_thread.hpp>

namespace threading::inline v1::parking {

// Of the locks a thread has contended for, one in so many begins a measurement: so its two looks at the clock, some 20
// ns each, cost less than one for each such lock. With 16 nothing was better (ADR 36).
inline constexpr std::uint32_t kTimeOneIn = 64;

// By a thread that has just got a lock of the bucket with that history, for which it had to contend.
// `now`: monotonic_now(), asked only if it is time to measure.
template <class Now>
void begin_rounds(detail::Rounds& rounds, const void* history, Now now) noexcept {
  if (++rounds.contended % kTimeOneIn != 0) return;
  rounds.history = history;
  rounds.released = 0;
  rounds.since = now();
}

// By a thread that has to contend for such a lock. Returns: what a round has taken, nanoseconds; 0: not measured.
template <class Now>
std::int64_t end_rounds(detail::Rounds& rounds, const void* history, Now now) noexcept {
  if (rounds.history == nullptr) return 0;
  const bool is_here = rounds.history == history;
  rounds.history = nullptr;
  return is_here && rounds.released != 0 ? (now() - rounds.since) / rounds.released : 0;
}

}  // namespace threading::inline v1::parking
