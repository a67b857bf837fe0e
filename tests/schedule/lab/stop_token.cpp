// SPDX-License-Identifier: MIT
#include "stop_token.hpp"

#include "atomic.hpp"
#include "world.hpp"

namespace lab::detail {

// Every access to the list is one step: it follows an operation on `word` without a schedule point in between, and is
// published by another one.
struct StopState {
  std::uint32_t word = 0;  // bit 0: stop requested
  unsigned references = 0;
  unsigned sources = 0;
  StopCallback* first = nullptr;
  StopCallback* running = nullptr;
  unsigned requester = 0;

  // A step of its own: others may move before it.
  std::uint32_t enter(std::uint32_t set = 0) noexcept {
    return static_cast<std::uint32_t>(
        atomic_modify(&word, sizeof word, Rmw::bit_or, set, std::memory_order_acq_rel, Site::here()));
  }

  // Publishes what was done since enter(). Part of the same step.
  void leave() noexcept {
    World* const world = active_world();
    if (world == nullptr) return;
    Fiber& self = world->self();
    world->memory.modify(self, world->memory.locate(self, &word, sizeof word, true, Site::here()), Rmw::bit_or, 0,
                         std::memory_order_acq_rel);
  }

  void link(StopCallback& callback) noexcept {
    callback.next_ = first;
    if (first != nullptr) first->previous_ = &callback;
    first = &callback;
    callback.linked_ = true;
  }

  void unlink(StopCallback& callback) noexcept {
    (callback.previous_ != nullptr ? callback.previous_->next_ : first) = callback.next_;
    if (callback.next_ != nullptr) callback.next_->previous_ = callback.previous_;
    callback.linked_ = false;
  }

  void run_callbacks() noexcept {
    requester = active_world() != nullptr ? active_world()->self().id : 0;
    while (first != nullptr) {
      StopCallback& callback = *first;
      unlink(callback);
      running = &callback;
      bool destroyed = false;
      callback.destroyed_ = &destroyed;
      leave();
      callback.invoke_(callback);
      enter();
      if (!destroyed) callback.destroyed_ = nullptr;
      running = nullptr;
      leave();
      if (World* const world = active_world()) world->wake(&callback, kMaxThreads);
    }
    leave();
  }
};

StopState* new_stop_state() { return new StopState; }

StopReference::StopReference(StopState* state, bool source) noexcept : state_(state), source_(source) {
  if (state == nullptr) return;
  ++state->references;
  if (source) ++state->sources;
}

StopReference::~StopReference() {
  if (state_ == nullptr) return;
  if (source_) --state_->sources;
  // Ordered as a shared_ptr's last release is, so that the delete is ordered after everybody's use.
  state_->leave();
  if (--state_->references == 0) delete state_;
}

bool StopReference::requested() const noexcept {
  return state_ != nullptr &&
         (atomic_load(&state_->word, sizeof state_->word, std::memory_order_acquire, Site::here()) & 1) != 0;
}

bool StopReference::possible() const noexcept {
  return state_ != nullptr && (state_->sources != 0 || (state_->word & 1) != 0);
}

bool StopReference::request() const noexcept {
  if (state_ == nullptr) return false;
  StopState& state = *state_;
  if ((state.enter(1) & 1) != 0) return false;
  // A callback may drop the last other reference.
  const StopReference alive(&state, false);
  state.run_callbacks();
  return true;
}

void StopCallback::attach(StopState* state) {
  if (state == nullptr) return;
  if ((state->enter() & 1) != 0) {
    invoke_(*this);
    return;
  }
  state_ = state;
  state->link(*this);
  state->leave();
}

void StopCallback::detach() noexcept {
  StopState* const state = state_;
  if (state == nullptr) return;
  state->enter();
  if (linked_) {
    state->unlink(*this);
    state->leave();
    return;
  }
  World* const world = active_world();
  if (state->running != this || world == nullptr) return;
  if (state->requester == world->self().id) {
    *destroyed_ = true;
    return;
  }
  while (state->running == this) world->block(this, "~stop_callback", kNever, false, Site::here());
  state->enter();
}

}  // namespace lab::detail
