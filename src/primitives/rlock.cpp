// SPDX-License-Identifier: MIT
//
// RLock is the word of lock_word.cpp plus a depth, which is counted from the second level on, until the last one is
// given back: so a thread that takes the lock once never writes it, and one that comes back need not try to take it
// first.
//
// Word     as in lock_word.cpp, with one more rule: the owner's token is never 0 while held is set.
// States   free with depth 0 · held by t with depth 0: one level · held by t with depth n: n levels, and there were
//          two at some time.
// Moves    depth is written by the owner only, and read by others as a hint or for display; a hand-over makes the
//          woken thread the owner before it runs.
// I1       Only a thread itself can put its token into the word, or a releaser in its place while it is parked. So
//          "the owner is me" cannot become true or false behind a thread's back: one relaxed load answers it.
// I2       depth is 0 whenever the lock passes from one thread to another: its owner has given back every level, or
//          Condition has put them aside.
// Orders   depth travels with the lock: written before R1, read after A1 of lock_word.cpp.
#include <threading/rlock.hpp>

#include "base/check.hpp"
#include "primitives/misuse.hpp"

namespace threading::inline v1 {

using detail::WaitOutcome;

bool RLock::acquire_slow(Timeout bound, const detail::backend::stop_token* stop) {
  const detail::WaitOptions options{.deadline = bound.deadline(), .stop = stop};
  return detail::lock_word(word_, detail::thread_token(), detail::kRLockKind, options) == WaitOutcome::ok;
}

void RLock::unlock_slow() noexcept { THREADING_INVARIANT(detail::unlock_word(word_), "an RLock's owner holds it"); }

void RLock::throw_not_owned() const { throw RuntimeError("cannot release un-acquired lock"); }

void RLock::throw_too_deep() const { throw OverflowError("Internal lock count overflowed"); }

void RLock::die_not_owned() const noexcept {
  detail::die_of_misuse("cannot release un-acquired lock", detail::kRLockKind, this);
}

}  // namespace threading::inline v1
