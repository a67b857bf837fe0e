// SPDX-License-Identifier: MIT
//
// What a thread does between its start and its end.
//
// Word     native_id: 0 not known yet; kIdWanted: not known, and somebody is queued for it; else the number.
// Moves    want: who asks, 0 → kIdWanted, under the bucket's lock. tell: the thread itself, → the number; wakes all.
//          A start that fails (life.cpp): kIdWanted → 0, and wakes all, who look again: another start may be under way.
// I1       kIdWanted is set while the thread is alive only: one that is not started will not tell.
// Orders   All relaxed: a number and nothing else. What the waiter of a failed start sees, the bucket's lock orders.
// Destroy  As the state's, in life.cpp.
#include <cxxabi.h>

#include <utility>

#include <threading/with.hpp>

#include "base/hooks.hpp"
#include "threads/excepthook.hpp"
#include "threads/life.hpp"
#include "threads/registry.hpp"

namespace threading::inline v1::threads {
namespace {

namespace backend = detail::backend;
using detail::Body;

constexpr std::uint32_t kIdWanted = 0x80000000u;

const WaitKind kThreadStartKind{"Thread start", nullptr};

void become(PerThread& self, ThreadState& state, NativeId native_id) noexcept {
  self.thread = &state;
  const ThreadToken token = self.token != 0 ? self.token : detail::assign_thread_token(self);
  state.join.token.store(token, std::memory_order_relaxed);  // relaxed: for display
  tell_native_id(state, static_cast<std::uint32_t>(native_id));
}

// Also when the body is left by a forced unwind.
struct Leaving {
  ThreadState& state;
  ~Leaving() {
    base::call(base::hooks.thread_ends);
    destroy_body(state);
  }
};

}  // namespace

void tell_native_id(ThreadState& state, std::uint32_t id) noexcept {
  // relaxed: a number and nothing else.
  if (state.native_id.exchange(id, std::memory_order_relaxed) == kIdWanted) unpark_all(&state.native_id);
}

// Under the bucket's lock, not as tell_native_id() does: somebody may have found the thread alive there and be about to
// say that it waits. It is queued before this, or looks after it. A number that is there is another start's.
void take_back_native_id(ThreadState& state) noexcept {
  unpark(&state.native_id, [&](const QueueView& queue) noexcept -> UnparkDecision {
    std::uint32_t seen = kIdWanted;
    // relaxed: ordered by the bucket's lock, but for the number, which is a number and nothing else.
    state.native_id.compare_exchange_strong(seen, 0, std::memory_order_relaxed, std::memory_order_relaxed);
    return {queue.size};
  });
}

void enter(PerThread& self, ThreadState& state) noexcept {
  become(self, state, platform::new_thread_native_id());
  name_this_thread(state);
}

void enter_embedded(PerThread& self, ThreadState& state) noexcept {
  // relaxed: a number and nothing else.
  static_cast<detail::OsThreadState&>(state).ident.store(platform::os_ident(), std::memory_order_relaxed);
  become(self, state, platform::os_native_id());
}

void enter_pooled(PerThread& self, ThreadState& state, NativeId native_id, bool is_named) noexcept {
  become(self, state, native_id);
  if (is_named) name_this_thread(state);
}

// The handler of a forced unwind binds its reference to no object, which the sanitizer takes for an error.
__attribute__((no_sanitize("null"))) void run_body(ThreadState& state) {
  std::exception_ptr failure;
  try {
    // `stop` was made by start() if the body wants it.
    if (Body* const body = state.body()) {
      body->run(state.takes_stop ? state.label.extras()->stop->get_token() : backend::stop_token());
    }
  } catch (abi::__forced_unwind&) {
    throw;
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) report(state, std::move(failure));
}

void destroy_body(ThreadState& state) noexcept {
  if (state.keeps_body) return;
  Body* const body = state.body();
  state.has_body = false;
  if (body != nullptr) body->~Body();
}

void* thread_main(void* argument) {
  auto& state = *static_cast<detail::OsThreadState*>(argument);
  state.ident.store(platform::os_ident(), std::memory_order_relaxed);  // relaxed: a number and nothing else
  enter(backend::per_thread(), state);
  const Leaving leaving{state};
  base::call(base::hooks.thread_starts);
  run_body(state);
  return nullptr;
}

NativeId native_id(ThreadState& state) noexcept {
  for (;;) {
    const bool may_tell = is_alive(state);  // asked first: one that has ended has told
    const std::uint32_t id = state.native_id.load(std::memory_order_relaxed);  // relaxed: a number and nothing else
    if ((id & ~kIdWanted) != 0) return static_cast<NativeId>(id);
    if (state.kind == ThreadState::Kind::timer || !may_tell) return 0;
    const auto must_wait = [&]() noexcept {
      std::uint32_t seen = 0;
      // relaxed: under the bucket's lock; a start that fails changes it as well.
      return is_alive(state) && (state.native_id.compare_exchange_strong(seen, kIdWanted, std::memory_order_relaxed,
                                                                         std::memory_order_relaxed) ||
                                 seen == kIdWanted);
    };
    static_cast<void>(park(
        &state.native_id, kThreadStartKind, must_wait, []() noexcept {}, [](bool, LeaveReason) noexcept {}));
  }
}

}  // namespace threading::inline v1::threads
