// SPDX-License-Identifier: MIT
#include "world.hpp"

#include <cxxabi.h>
#include <signal.h>
#include <sys/mman.h>

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "report.hpp"

namespace lab::detail {

namespace {

struct ScenarioBody final : Body {
  void (*scenario)() = nullptr;
  void run() override {
    scenario();
    if (at_scenario_end != nullptr) at_scenario_end();
  }
};

ScenarioBody& scenario_body() {
  static ScenarioBody body;
  return body;
}

// A wild pointer in the code under test ends the execution, not the lab. The handler's stack is simply left.
void on_crash(int, siginfo_t* info, void*) {
  World* const world = active_world();
  if (world == nullptr) abort();
  char text[64];
  std::snprintf(text, sizeof text, "%s touches address %p", world->self().name, info->si_addr);
  world->fail("crash", text);
}

void catch_crashes() {
  constexpr std::size_t kSize = 1 << 16;
  stack_t stack{};
  stack.ss_sp = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  stack.ss_size = kSize;
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_sigaction = &on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  sigaction(SIGSEGV, &action, nullptr);
  sigaction(SIGBUS, &action, nullptr);
}

ExceptionState* exception_state() noexcept { return reinterpret_cast<ExceptionState*>(abi::__cxa_get_globals()); }

}  // namespace

World::World() : memory(*this) {
  for (unsigned i = 0; i < kMaxThreads; ++i) fibers_[i].id = static_cast<std::uint8_t>(i);
  catch_crashes();
}

void World::reset(const Setup& setup) noexcept {
  setup_ = setup;
  describing = setup.tracing;
  budget_ = setup.budget;
  preemptions_left_ = setup.preemptions;
  const unsigned locations = memory.location_count();
  for (Fiber& fiber : fibers_) {
    if (fiber.state == RunState::absent) continue;
    fiber.state = RunState::absent;
    fiber.noted = false;
    fiber.clock = VectorClock{};
    fiber.hash = 0;
    fiber.heap_used = 0;
    std::memset(fiber.storage, 0, sizeof fiber.storage);
    std::memset(fiber.view, 0, locations * sizeof fiber.view[0]);
  }
  ready_ = spinning_ = dirty_ = 0;
  steps_ = idle_rounds_ = 0;
  moved_ = bounded_ = forked_ = false;
  exit_handlers.clear();
  exit_check = nullptr;
  outside = false;
  now_ = 1'000'000'000;
  wait_order_ = 0;
  ends_hash = marks_hash = 0;
  history_time = 0;
  history.clear();
  history_epochs.clear();
  marks.clear();
  live_allocations_ = 0;
  ending_ = Ending::completed;
  failure_kind.clear();
  failure_text.clear();
  trace_lines.clear();
  names_.clear();
  memory.begin_execution(setup.weak, ++generation_);
}

Ending World::execute(void (*scenario)(), const Setup& setup) {
  reset(setup);
  scenario_body().scenario = scenario;
  current_ = &fibers_[0];
  spawn("main", &scenario_body(), false);
  running_ = true;
  Context::exchange(driver_, fibers_[0].context);
  running_ = false;
  memory.undo();
  *exception_state() = ExceptionState{};
  return ending_;
}

void World::to_driver(Ending ending) {
  ending_ = ending;
  Context::exchange(current_->context, driver_);
}

void World::enter(void* argument) {
  World& world = *the_world;
  Fiber& fiber = *static_cast<Fiber*>(argument);
  try {
    if (at_thread_start != nullptr) at_thread_start();
    fiber.body->run();
    if (at_thread_exit != nullptr) at_thread_exit();
    if (fiber.body != &scenario_body()) delete fiber.body;
  } catch (const std::exception& error) {
    world.fail("uncaught exception", std::string(fiber.name) + ": " + error.what());
  } catch (...) {
    world.fail("uncaught exception", fiber.name);
  }
  world.finish();
}

Fiber* World::free_slot() noexcept {
  for (Fiber& fiber : fibers_) {
    if (fiber.state == RunState::absent) return &fiber;
  }
  // A slot is used again once the new thread is ordered after all that the old one did.
  for (Fiber& fiber : fibers_) {
    if (fiber.state == RunState::finished && fiber.noted && current_->clock.at[fiber.id] >= fiber.clock.at[fiber.id]) {
      return &fiber;
    }
  }
  return nullptr;
}

unsigned World::spawn(const char* name, Body* body, bool background) {
  Fiber* const slot = free_slot();
  if (slot == nullptr) fail("the lab is too small", "more than eight threads at once");
  Fiber& fiber = *slot;
  fiber.hash = mix(current_->hash, fiber.id + 1u);
  fiber.state = RunState::ready;
  fiber.reason = WakeReason::none;
  fiber.background = background;
  fiber.noted = false;
  fiber.body = body;
  fiber.exceptions = ExceptionState{};
  std::memset(fiber.storage, 0, sizeof fiber.storage);
  std::strncpy(fiber.name, name, sizeof fiber.name - 1);
  if (current_ != &fiber) {
    memory.transfer(*current_, fiber);
    ++current_->clock.at[current_->id];
    remember(fiber.id);
  }
  ++fiber.clock.at[fiber.id];
  ready_ |= bit(fiber.id);
  spinning_ &= ~bit(fiber.id);
  dirty_ &= ~bit(fiber.id);
  fiber.context.prepare(Space::stack_bottom(fiber.id), Space::kStackSize - Space::kGuardSize, &World::enter, &fiber);
  return fiber.id;
}

void World::finish() {
  Fiber& self = *current_;
  self.state = RunState::finished;
  ready_ &= ~bit(self.id);
  spinning_ &= ~bit(self.id);
  remember(0xf1);
  wake(&self, kMaxThreads);
  progress();
  end_if_complete();
  leave();
}

// Nobody is left but who runs in the background.
void World::end_if_complete() {
  for (const Fiber& fiber : fibers_) {
    if (!fiber.background && (fiber.state == RunState::ready || fiber.state == RunState::blocked)) return;
  }
  to_driver(Ending::completed);
}

void World::end_process() { to_driver(Ending::completed); }

void World::sleep_for_ever(const Site& site) {
  current_->background = true;
  for (;;) {
    end_if_complete();
    block(current_, "sleep for ever", kNever, false, site);
  }
}

void World::join(unsigned id, const Site& site) {
  point();
  Fiber& other = fibers_[id];
  while (other.state != RunState::finished) block(&other, "join", kNever, false, site);
  memory.transfer(other, *current_);
  remember(other.hash);
  other.noted = true;
}

void World::fence() {
  point();
  remember(0xfe);
  if (!setup_.weak) return;
  std::uint64_t past = 0;
  for (const Fiber& fiber : fibers_) {
    if (fiber.state != RunState::absent) past = mix(past, fiber.hash);
  }
  remember(past);
  for (Fiber& fiber : fibers_) {
    if (&fiber == current_ || fiber.state == RunState::absent) continue;
    memory.show(*current_, fiber);
    fiber.hash = mix(fiber.hash, current_->hash);
  }
  memory.catch_up(*current_);
}

void World::vanish_others() {
  for (Fiber& fiber : fibers_) {
    if (&fiber == current_ || fiber.state == RunState::absent) continue;
    // Ordered before everything the child does: the kernel's copy saw it.
    memory.transfer(fiber, *current_);
    fiber.state = RunState::finished;
  }
  ready_ = bit(current_->id);
  spinning_ = 0;
  forked_ = true;
  remember(0xf0);
}

void World::switch_to(unsigned id) {
  Fiber& from = *current_;
  if (from.id == id) return;
  ExceptionState* const exceptions = exception_state();
  from.exceptions = *exceptions;
  current_ = &fibers_[id];
  *exceptions = current_->exceptions;
  Context::exchange(from.context, current_->context);
}

// Requires: movable is not empty.
void World::move_on(unsigned movable, Leaving leaving) {
  std::uint8_t threads[kMaxThreads] = {};
  unsigned count = 0;
  const unsigned me = movable & bit(current_->id);
  if (me != 0 && leaving != Leaving::yielding) threads[count++] = current_->id;
  for (unsigned rest = movable & ~bit(current_->id); rest != 0; rest &= rest - 1) {
    threads[count++] = static_cast<std::uint8_t>(std::countr_zero(rest));
  }
  if (me != 0 && leaving == Leaving::yielding) threads[count++] = current_->id;
  unsigned answer = 0;
  if (count > 1) {
    const bool costs = leaving == Leaving::able;
    const unsigned allowed = costs && preemptions_left_ == 0 ? 1 : count;
    bounded_ |= allowed < count;
    if ((allowed > 1 || moved_) && setup_.reducing && chooser.at_frontier() && seen_before()) {
      to_driver(Ending::pruned);
    }
    answer = chooser.pick({count, allowed, threads, costs});
    moved_ = answer != 0;
    if (costs && answer != 0 && preemptions_left_ != 0) --preemptions_left_;
  }
  switch_to(threads[answer]);
}

// The state is what each thread has seen, who runs, who may run, and what freedom is left.
bool World::seen_before() noexcept {
  std::uint64_t state = mix(static_cast<std::uint64_t>(now_), current_->id);
  for (const Fiber& fiber : fibers_) {
    if (fiber.state != RunState::absent) state = mix(state, fiber.hash);
  }
  state = mix(state, (static_cast<std::uint64_t>(ready_) << 32) | (spinning_ << 16) | (dirty_ & 0xffffu));
  for (const std::uint8_t left : budget_) state = mix(state, left);
  return cache.visited(state, preemptions_left_);
}

}  // namespace lab::detail
