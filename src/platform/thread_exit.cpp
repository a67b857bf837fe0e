// SPDX-License-Identifier: MIT
//
// The end of a thread, by a pthread key: its destructor runs after all C++ thread_local destructors, for threads that
// anybody started. Destructors of several keys run in rounds, in an unspecified order, and a key that is set again
// gets another round; so the first round destroys values and the second does what must come after everybody else's.
// Whoever sets a key of his own again there, and uses the library in the third, finds it ready to begin anew; what he
// begins ends in one round, the next, since there may be only one left. Each round costs every thread some 550
// instructions: the C library looks through all its keys. POSIX guarantees at least four rounds.
#include "platform/thread_exit.hpp"

#include <pthread.h>

#include <threading/detail/backend.hpp>

#include "base/check.hpp"

namespace threading::inline v1::platform {
namespace {

using detail::PerThread;

constexpr std::uintptr_t kRounds = 2;

constinit detail::backend::atomic<ExitFunction> functions[2] = {};

void run(ExitStage stage, PerThread& self) noexcept {
  // acquire pairs with on_thread_exit().
  if (const auto function = functions[static_cast<int>(stage)].load(std::memory_order_acquire)) function(self);
}

pthread_key_t key() noexcept;

// The key's value counts the rounds.
void thread_ends(void* value) {
  PerThread& self = detail::backend::per_thread();
  const auto round = reinterpret_cast<std::uintptr_t>(value);
  run(ExitStage::values, self);  // in every round: destructors of the round before may have made new values
  if (round < kRounds) {
    pthread_setspecific(key(), reinterpret_cast<void*>(round + 1));
    return;
  }
  run(ExitStage::gone, self);
  give_back_thread_token(self);
  self.exit_hook_armed = false;  // somebody who still uses the library afterwards gets a new token
  self.has_left = true;
}

pthread_key_t key() noexcept {
  static const pthread_key_t made = [] {
    pthread_key_t result{};
    THREADING_INVARIANT(pthread_key_create(&result, &thread_ends) == 0, "a thread-specific key is left");
    return result;
  }();
  return made;
}

// Made before main(), so that no thread is inside key()'s first call when another one forks: the child would wait for
// it for ever.
[[maybe_unused]] const bool key_is_made = (key(), true);

}  // namespace

void on_thread_exit(ExitStage stage, ExitFunction function) noexcept {
  // release pairs with run().
  functions[static_cast<int>(stage)].store(function, std::memory_order_release);
}

void arm_thread_exit(PerThread& self) noexcept {
  if (self.exit_hook_armed) return;
  self.exit_hook_armed = true;
  pthread_setspecific(key(), reinterpret_cast<void*>(self.has_left ? kRounds : 1));
}

}  // namespace threading::inline v1::platform
