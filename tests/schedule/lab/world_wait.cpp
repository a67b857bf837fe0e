// SPDX-License-Identifier: MIT
//
// World: spinning, blocking, waking, and the time that goes by meanwhile.
#include "world.hpp"

namespace lab::detail {

namespace {

// So many rounds in which every movable thread spins and nothing changes are a livelock. Larger than any bounded
// spin in the code under test.
constexpr unsigned kIdleRounds = 4096;
// What one of them takes on the clock, so that a spin with a time limit ends. Nanoseconds.
constexpr std::int64_t kIdleTime = 10'000;

}  // namespace

// Goes on with some thread that can move. The calling one is blocked, spins, or has ended.
void World::leave() {
  for (;;) {
    if (const unsigned movable = ready_ & ~spinning_; movable != 0) {
      move_on(movable, Leaving::free);
      return;
    }
    if (ready_ == 0) {
      if (!advance_to_next_deadline()) fail_deadlock();
      continue;
    }
    // Whoever can move spins, and nothing changes. Time goes by first; then each in turn spins once more.
    if (advance_to_next_deadline()) continue;
    if (++idle_rounds_ > kIdleRounds) fail_livelock();
    now_ += kIdleTime;
    const unsigned higher = spinning_ & ready_ & ~(bit(current_->id + 1u) - 1u);
    const unsigned next = higher != 0 ? higher : (spinning_ & ready_);
    spinning_ &= ~(next & (~next + 1u));
  }
}

void World::yield(const Site& site) {
  step();
  if (setup_.tracing) trace("yields", nullptr, "", site);
  const unsigned me = bit(current_->id);
  remember(0x9e1d);
  if ((dirty_ & me) == 0) {
    spinning_ |= me;
    leave();
    return;
  }
  dirty_ &= ~me;
  if (const unsigned movable = ready_ & ~spinning_; movable != me) move_on(movable, Leaving::yielding);
}

WakeReason World::choose_fate(std::int64_t deadline, bool interruptible) {
  WakeReason fates[4] = {WakeReason::none};
  Fault prices[4] = {};
  unsigned count = 1;
  const auto offer = [&](WakeReason reason, Fault price) {
    if (budget_[static_cast<std::size_t>(price)] == 0) return;
    prices[count] = price;
    fates[count++] = reason;
  };
  if (deadline != kNever) offer(WakeReason::timed_out, Fault::timeout);
  if (interruptible) {
    offer(WakeReason::interrupted, Fault::interrupt);
    offer(WakeReason::woken, Fault::spurious);
  }
  if (count == 1) return WakeReason::none;
  const unsigned answer = chooser.pick({count, count, nullptr});
  moved_ |= answer != 0;
  if (answer != 0) --budget_[static_cast<std::size_t>(prices[answer])];
  return fates[answer];
}

WakeReason World::block(const void* key, const char* in, std::int64_t deadline, bool interruptible, const Site& site) {
  Fiber& self = *current_;
  if (deadline <= now_) {
    remember(0x7a57);
    return WakeReason::timed_out;
  }
  // A fault is decided now and strikes when the scheduler comes back to this thread: every moment in between is one
  // of its choices.
  const WakeReason fate = choose_fate(deadline, interruptible);
  if (fate == WakeReason::none) {
    unsigned ahead = 0;
    for (const Fiber& fiber : fibers_) ahead += fiber.state == RunState::blocked && fiber.waits_on == key;
    remember(mix(reinterpret_cast<std::uintptr_t>(key), ahead));
    self.state = RunState::blocked;
    self.reason = WakeReason::none;
    self.waits_on = key;
    self.waits_in = in;
    self.waits_at = site;
    self.deadline = deadline;
    waiting_since_[self.id] = ++wait_order_;
    ready_ &= ~bit(self.id);
    leave();
  } else {
    self.reason = fate;
    move_on(ready_ & ~spinning_, Leaving::free);
    if (fate == WakeReason::timed_out) advance_to(deadline);
  }
  remember(static_cast<std::uint64_t>(self.reason) + 0xb10c);
  return self.reason;
}

void World::make_ready(Fiber& fiber, WakeReason reason) noexcept {
  fiber.state = RunState::ready;
  fiber.reason = reason;
  fiber.waits_on = nullptr;
  ready_ |= bit(fiber.id);
  dirty_ &= ~bit(fiber.id);
}

unsigned World::wake(const void* key, unsigned count) {
  unsigned woken = 0;
  while (woken < count) {
    Fiber* first = nullptr;
    for (Fiber& fiber : fibers_) {
      if (fiber.state != RunState::blocked || fiber.waits_on != key) continue;
      if (first == nullptr || waiting_since_[fiber.id] < waiting_since_[first->id]) first = &fiber;
    }
    if (first == nullptr) break;
    make_ready(*first, WakeReason::woken);
    // Not happens-before: a wake is a hint. But the sleeper's past now includes it.
    first->hash = mix(first->hash, current_->hash);
    remember(first->id + 0x3a4eu);
    ++woken;
  }
  if (woken != 0) idle_rounds_ = 0;
  // A step must leave a trace, or the state after it would pass for the one before, seen already.
  if (woken == 0) remember(0x3a4d);
  return woken;
}

void World::advance_to(std::int64_t time) noexcept {
  if (time <= now_) return;
  now_ = time;
  for (Fiber& fiber : fibers_) {
    if (fiber.state == RunState::blocked && fiber.deadline <= now_) make_ready(fiber, WakeReason::timed_out);
  }
  spinning_ &= bit(current_->id);
}

bool World::advance_to_next_deadline() noexcept {
  std::int64_t earliest = kNever;
  for (const Fiber& fiber : fibers_) {
    if (fiber.state == RunState::blocked && fiber.deadline < earliest) earliest = fiber.deadline;
  }
  if (earliest == kNever) return false;
  advance_to(earliest);
  spinning_ = 0;
  return true;
}

}  // namespace lab::detail
