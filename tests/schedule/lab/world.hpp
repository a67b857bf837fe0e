// SPDX-License-Identifier: MIT
//
// One execution at a time: its threads, its clock, its faults, and the schedule.
//
// Exactly one fiber runs. Before each visible operation it passes a schedule point, where the Chooser may move
// another. Moving on from a thread that could have continued costs a preemption; moving on from one that blocks,
// yields or ends is free.
#pragma once

#include <array>
#include <cstdarg>
#include <cstdint>
#include <string>
#include <vector>

#include "chooser.hpp"
#include "fiber.hpp"
#include "history.hpp"
#include "memory.hpp"
#include "state_cache.hpp"

namespace lab::detail {

// Each is a choice, open only while the scenario's budget for it lasts.
enum class Fault : std::uint8_t {
  timeout,     // a bounded wait ends by its deadline although others could still move
  interrupt,   // a futex wait ends with EINTR
  spurious,    // a futex wait ends for no reason
  stale,       // weak mode: a load returns an older message
  weak_cas,    // compare_exchange_weak fails for no reason
  spawn,       // the system has no thread to give
  allocation,  // operator new throws
  clock_jump,  // the clock moves on by a second while it is read
  late_wake,   // the waker loses the processor just before its futex wake
  count
};
using Budget = std::array<std::uint8_t, static_cast<std::size_t>(Fault::count)>;

enum class Ending : std::uint8_t { completed, pruned, failed };

struct Named {
  std::uintptr_t begin;
  std::size_t size;
  char name[32];
};

class World {
 public:
  World();

  struct Setup {
    bool weak = false;
    unsigned preemptions = 0;
    unsigned step_limit = 20000;
    Budget budget{};
    const Options* options = nullptr;
    bool tracing = false;
    bool reducing = true;  // drop executions that reach a state seen before
  };

  // Runs one execution of `scenario` on the fibers. Called on the driver's stack.
  Ending execute(void (*scenario)(), const Setup& setup);

  // Called by a fiber, before an operation that others may see or be seen by.
  void point() {
    step();
    const unsigned movable = ready_ & ~spinning_;
    if (movable != bit(current_->id)) move_on(movable, Leaving::able);
  }
  // The same, before an operation on an atomic.
  void point(const void* where) {
    if (memory.is_shared(where)) {
      point();
    } else {
      step();
    }
  }
  void yield(const Site& site);
  // A futex wake may come late: others move on first, although the caller could.
  void delay_wake() {
    if (!fault(Fault::late_wake)) return;
    if (const unsigned others = ready_ & ~spinning_ & ~bit(current_->id); others != 0) move_on(others, Leaving::free);
  }
  // Sleeps until wake(key), the deadline or, where allowed, a fault.
  WakeReason block(const void* key, const char* in, std::int64_t deadline, bool interruptible, const Site& site);
  // Wakes at most `count` fibers that block on `key`, longest waiting first. Returns: how many.
  unsigned wake(const void* key, unsigned count);

  // membarrier(): every thread passes a full barrier.
  void fence();

  bool fault(Fault kind);
  unsigned choose(unsigned options);
  // Weak mode: how many messages before the latest a load looks, less than `options`.
  unsigned choose_stale(unsigned options);

  // Returns: the new fiber's id.
  unsigned spawn(const char* name, Body* body, bool background);
  void join(unsigned id, const Site& site);
  // fork(): only the calling fiber exists from here on.
  void vanish_others();
  bool forked() const noexcept { return forked_; }
  // The execution ends here, whatever others were about to do.
  void end_process();
  // The calling fiber never moves again, and the execution is complete without it.
  void sleep_for_ever(const Site& site);
  void run_in_background() noexcept { current_->background = true; }
  // Of the process under exploration, in the order of their registration.
  std::vector<void (*)()> exit_handlers;
  void (*exit_check)() = nullptr;

  std::int64_t now(const Site& site);
  void advance_to(std::int64_t time) noexcept;

  // A value-changing step: whoever spins may look again.
  void progress() noexcept {
    spinning_ &= bit(current_->id);
    dirty_ |= ~bit(current_->id);
    idle_rounds_ = 0;
  }
  // The calling fiber has seen an old value: if it spins, it may look again before time goes by.
  void looks_again() noexcept { dirty_ |= bit(current_->id); }
  // Makes the calling fiber's past differ, for the state cache.
  void remember(std::uint64_t value) noexcept { current_->hash = mix(current_->hash, value); }

  [[noreturn]] void fail(const char* kind, const std::string& text);

  // Allocation on the running fiber's heap, while an execution runs.
  void* allocate(std::size_t size, std::size_t alignment);
  void release(void* block, const Site& site);

  bool tracing() const noexcept { return setup_.tracing; }
  // `text()` is made outside of the execution: where the program's heap has its next block must not tell it whether
  // somebody writes down what it does.
  template <class Text>
  void trace(const char* operation, const void* where, Text text, const Site& site);
  void trace(const char* operation, const void* where, const char* text, const Site& site) {
    trace(
        operation, where, [&] { return std::string(text); }, site);
  }
  void name(const void* begin, std::size_t size, const char* name);
  std::string describe(std::uintptr_t address) const;

  bool on_fiber() const noexcept { return running_; }
  Fiber& self() noexcept { return *current_; }
  const Fiber& fiber(unsigned id) const noexcept { return fibers_[id]; }
  const Setup& setup() const noexcept { return setup_; }

  // History of operations, see history.hpp: each begin depends on every end before it.
  std::uint64_t ends_hash = 0;
  unsigned history_time = 0;
  std::vector<Operation> history;
  std::vector<std::int16_t> history_epochs;  // each operation's thread's own clock at its end
  // lab::mark(): each depends on all before it.
  std::uint64_t marks_hash = 0;
  std::vector<std::uint64_t> marks;

  // Whether the preemption bound kept the last execution from branching somewhere.
  bool bounded() const noexcept { return bounded_; }

  Chooser chooser;
  StateCache cache;
  Memory memory;

  // About the last execution:
  std::string failure_kind;
  std::string failure_text;
  std::vector<std::string> trace_lines;
  unsigned steps() const noexcept { return steps_; }
  unsigned preemptions_used() const noexcept { return setup_.preemptions - preemptions_left_; }
  std::size_t live_allocations() const noexcept { return live_allocations_; }

  // While set, allocations on a fiber come from malloc and outlive the execution: for the lab's own records.
  bool outside = false;

 private:
  void write_down(const char* operation, const void* where, const std::string& text, const Site& site);
  enum class Leaving : std::uint8_t { able, free, yielding };

  static constexpr unsigned bit(unsigned id) noexcept { return 1u << id; }
  void step() {
    if (++steps_ > setup_.step_limit) fail_livelock();
    chooser.begin_step(steps_);
  }
  static void enter(void* fiber);
  void reset(const Setup& setup) noexcept;
  Fiber* free_slot() noexcept;
  void move_on(unsigned movable, Leaving leaving);
  void leave();
  void finish();
  void end_if_complete();
  void switch_to(unsigned id);
  void to_driver(Ending ending);
  bool advance_to_next_deadline() noexcept;
  WakeReason choose_fate(std::int64_t deadline, bool interruptible);
  bool seen_before() noexcept;
  void make_ready(Fiber& fiber, WakeReason reason) noexcept;
  [[noreturn]] void fail_livelock();
  [[noreturn]] void fail_deadlock();
  std::string describe_fibers() const;

  Setup setup_;
  Fiber* current_ = nullptr;
  std::uint32_t ready_ = 0;
  std::uint32_t spinning_ = 0;  // yielded, and nothing has changed since it last looked
  std::uint32_t dirty_ = 0;     // something has changed since it last yielded, or it has not seen all that had
  unsigned steps_ = 0;
  unsigned preemptions_left_ = 0;
  unsigned idle_rounds_ = 0;
  bool running_ = false;
  bool bounded_ = false;
  bool forked_ = false;
  bool moved_ = false;  // the last question was answered with something else than "go on"
  std::int64_t now_ = 0;
  std::uint32_t wait_order_ = 0;
  std::uint32_t generation_ = 0;
  std::size_t live_allocations_ = 0;
  Budget budget_{};
  Ending ending_ = Ending::completed;
  Context driver_;
  std::vector<Named> names_;
  std::array<std::uint32_t, kMaxThreads> waiting_since_{};
  Fiber fibers_[kMaxThreads];
};

// Runs on the first fiber when the scenario's body has returned: what must hold at the end of every one.
inline void (*at_scenario_end)() = nullptr;

// Run on every fiber first and last: what a library hangs on the beginning and the end of a thread.
inline void (*at_thread_start)() = nullptr;
inline void (*at_thread_exit)() = nullptr;

// Set before the first execution, never moved.
inline World* the_world = nullptr;

// The running execution, or null: outside, atomics are plain memory.
inline World* active_world() noexcept {
  World* const world = the_world;
  return world != nullptr && world->on_fiber() ? world : nullptr;
}

// While alive, the lab's own code may allocate without touching the execution.
class Outside {
 public:
  explicit Outside(World& world) noexcept : world_(world), before_(world.outside) { world.outside = true; }
  ~Outside() { world_.outside = before_; }
  Outside(const Outside&) = delete;
  Outside& operator=(const Outside&) = delete;

 private:
  World& world_;
  bool before_;
};

template <class Text>
void World::trace(const char* operation, const void* where, Text text, const Site& site) {
  const Outside guard(*this);
  write_down(operation, where, text(), site);
}

}  // namespace lab::detail
