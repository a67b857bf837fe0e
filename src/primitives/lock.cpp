// SPDX-License-Identifier: MIT
//
// Lock is the word of lock_word.cpp and nothing else; this file gives it errors.
#include <threading/lock.hpp>

#include "primitives/misuse.hpp"

namespace threading::inline v1 {

using detail::WaitOutcome;

bool Lock::acquire_slow(Timeout bound, const detail::backend::stop_token* stop) {
  const detail::WaitOptions options{.deadline = bound.deadline(), .stop = stop};
  return detail::lock_word(word_, detail::thread_token_hint(), detail::kLockKind, options) == WaitOutcome::ok;
}

void Lock::release_slow() {
  if (!detail::unlock_word(word_)) throw RuntimeError("release unlocked lock");
}

void Lock::unlock_slow() noexcept {
  if (!detail::unlock_word(word_)) detail::die_of_misuse("release unlocked lock", detail::kLockKind, this);
}

}  // namespace threading::inline v1
