// SPDX-License-Identifier: MIT
//
// How the process ends: exit() waits for threads.
//
// Word     callbacks: what embedders want called first. is_armed: the exit handler is registered. is_frozen: daemon
//          threads stop.
// States   running → (exit begins) callbacks have run, waiting for threads → frozen. Never back, nor in a forked child.
// Moves    exit handler or ~Main(), on the main thread: runs the callbacks, lets those go that join the main thread,
//          joins every thread that is not a daemon until none is left, also those started meanwhile; then freezes. Both
//          may come, one after the other: the second joins what was started since.
//          exit() on another thread: waits for nobody. The main thread is not going to return, so there is nobody left
//          who would tell the others to end; and those that wait for the caller would wait for ever.
//          Threads of a language runtime: that waits for its own, before this.
// Frozen   A daemon thread goes on until it calls a function of the library that may block, or one about threads: there
//          it sleeps for ever, without any lock. It is never unwound. Foreign threads, and those of a language runtime,
//          are not stopped: whoever made them may join them in a static destructor.
// I1       No lock is held while threads are joined or callbacks run.
// I2       The thread that runs the exit is never stopped itself, be it a daemon or not.
// Orders   is_frozen is relaxed: it says all that there is to know.
// Destroy  Nothing here is destroyed.
#include "threads/shutdown.hpp"

#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include <threading/embedding.hpp>
#include <threading/with.hpp>

#include "base/check.hpp"
#include "base/hooks.hpp"
#include "threads/fork_locks.hpp"
#include "threads/internal_lock.hpp"
#include "threads/life.hpp"
#include "threads/registry.hpp"

namespace threading::inline v1 {
namespace threads {

constinit Shutdown shutdown_state;

namespace {

namespace backend = detail::backend;
using Callback = void (*)();

constinit InternalLock lock;  // guards the two below
constinit std::vector<Callback>* callbacks = nullptr;
constinit bool callbacks_are_over = false;

void run_callbacks() noexcept {
  for (;;) {
    Callback callback = nullptr;
    {
      const With hold(lock);
      if (callbacks == nullptr || callbacks->empty()) {
        callbacks_are_over = true;
        return;
      }
      callback = callbacks->back();
      callbacks->pop_back();
    }
    callback();
  }
}

// A thread that the process must wait for, with a reference; null: none.
ThreadState* next_to_join(const ThreadState& self) noexcept {
  const With hold(registry_lock);
  for (ThreadState* state = next_listed(nullptr); state != nullptr; state = next_listed(state)) {
    // relaxed: not changed any more after start().
    if (state == &self || state->is_daemon.load(std::memory_order_relaxed)) continue;
    if (state->kind == ThreadState::Kind::embedded) continue;  // its runtime waits for it, or has done so
    retain(*state);
    return state;
  }
  return nullptr;
}

void freeze() noexcept {
  // relaxed: the flag is all that there is to see. release of the hook pairs with base::call().
  shutdown_state.is_frozen.store(true, std::memory_order_relaxed);
  base::hooks.before_block.store(&stop_if_daemon, std::memory_order_release);
}

void shut_down() noexcept {
  PerThread& self = backend::per_thread();
  self.exempt_from_freeze = true;
  run_callbacks();
  ThreadState* const current = current_state_if_any();
  if (current != nullptr && current == &main_state()) {
    finish(*current);
    while (ThreadState* const state = next_to_join(*current)) {
      static_cast<void>(join(*state, {}));
      release(*state);
    }
  }
  freeze();
}

}  // namespace

void arm_shutdown() {
  // relaxed: as the load before it.
  if (shutdown_state.is_armed.exchange(1, std::memory_order_relaxed) != 0) return;
  THREADING_INVARIANT(std::atexit(&shut_down) == 0, "an exit handler can be registered");
}

// Requires: frozen.
void stop_if_daemon() noexcept {
  const PerThread& self = backend::per_thread();
  if (self.exempt_from_freeze || self.thread == nullptr) return;
  // relaxed: not changed any more after start().
  const bool is_daemon = self.thread->is_daemon.load(std::memory_order_relaxed);
  const ThreadState::Kind kind = self.thread->kind;
  const bool is_ours = kind != ThreadState::Kind::dummy && kind != ThreadState::Kind::embedded;
  if (is_daemon && is_ours) platform::sleep_for_ever();
}

void add_shutdown_callback(Callback callback) {
  const With hold(lock);
  if (callbacks_are_over) throw RuntimeError("can't register atexit after shutdown");
  if (callbacks == nullptr) callbacks = new std::vector<Callback>;
  callbacks->push_back(callback);
}

void lock_shutdown() noexcept THREADING_NO_THREAD_SAFETY_ANALYSIS { lock.lock(); }
void unlock_shutdown() noexcept THREADING_NO_THREAD_SAFETY_ANALYSIS { lock.unlock(); }
void reset_shutdown_after_fork() noexcept { Embedding::reset_after_fork(lock); }

}  // namespace threads

Main::Main() { threads::current_state(); }
Main::~Main() { threads::shut_down(); }

}  // namespace threading::inline v1
