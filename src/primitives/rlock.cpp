// SPDX-License-Identifier: MIT
//
// RLock is the word of lock_word.cpp plus a depth.
//
// Word     as in lock_word.cpp, with one more rule: the owner's token is never 0 while held is set.
// States   free with depth 0 · held by t with depth >= 1. In between, while t takes or frees it, depth lags behind.
// Moves    depth is written by the owner only, and read by others for display; a hand-over makes the woken thread the
// owner before it runs. I1       Only a thread itself can put its token into the word, or a releaser in its place while
// it is parked. So
//          "the owner is me" cannot become true or false behind a thread's back: one relaxed load answers it.
// Orders   depth travels with the lock: written before R1, read after A1 of lock_word.cpp.
#include <threading/rlock.hpp>

#include "base/check.hpp"
#include "primitives/misuse.hpp"

namespace threading::inline v1 {

using detail::WaitOutcome;

bool RLock::acquire_slow(detail::ThreadToken self, Timeout bound, const detail::backend::stop_token* stop) {
  const detail::WaitOptions options{.deadline = bound.deadline(), .stop = stop};
  return detail::lock_word(word_, self, detail::kRLockKind, options) == WaitOutcome::ok;
}

void RLock::unlock_slow() noexcept { THREADING_INVARIANT(detail::unlock_word(word_), "an RLock's owner holds it"); }

void RLock::throw_not_owned() const { throw RuntimeError("cannot release un-acquired lock"); }

void RLock::throw_too_deep() const { throw OverflowError("Internal lock count overflowed"); }

void RLock::die_not_owned() const noexcept {
  detail::die_of_misuse("cannot release un-acquired lock", detail::kRLockKind, this);
}

}  // namespace threading::inline v1
