// SPDX-License-Identifier: MIT
//
// The schedule lab: runs a small multi-threaded scenario in every order that matters, and says in words what went
// wrong in the order that broke it.
//
//   LAB_SCENARIO(two_increments, "two threads count under a lock", {.bound = 3}) {
//     auto* lock = lab::make<threading::Lock>("lock");
//     int n = 0;
//     const auto count = [&] { threading::With hold(*lock); ++n; };
//     lab::together({{"a", count}, {"b", count}});
//     lab::check(n == 2, "both increments count");
//     lab::destroy(lock);
//   }
//
// Rules for a scenario: it must be deterministic except through the lab (no real time, no std::thread, no random
// numbers, no static state of its own), share at most seven threads besides `main`, and end. Whatever it leaves in
// globals is undone before the next execution.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include "atomic.hpp"
#include "futex.hpp"
#include "site.hpp"

namespace lab {

// How many of each fault one execution may contain. Every place where one can strike is tried.
struct Faults {
  std::uint8_t timeouts = 0;     // bounded waits that end although others could still move
  std::uint8_t interrupts = 0;   // futex waits that end with EINTR
  std::uint8_t spurious = 0;     // futex waits that end for no reason
  std::uint8_t weak_cas = 0;     // compare_exchange_weak that fails for no reason
  std::uint8_t spawn = 0;        // thread creations that fail
  std::uint8_t allocation = 0;   // operator new that throws
  std::uint8_t clock_jumps = 0;  // readings of the clock before which a second passes
  std::uint8_t late_wakes = 0;   // futex wakes before which the waker loses the processor, at no preemption
};

struct Options {
  unsigned bound = 2;   // preemptions: every schedule with at most so many is explored
  int weak_bound = -1;  // the same in weak mode; -1: as `bound`
  Faults faults{};
  unsigned stale = 1;            // weak mode: loads per execution that may miss the latest value
  unsigned cpus = 1;             // what cpu_count() says: with one, nobody spins
  bool fences = false;           // what has_heavy_fence() says
  std::size_t many_queued = 99;  // what many_queued() says: more than a scenario has threads, if it does not say so
  bool deal_tokens = true;       // threads begin with their token; false: the library assigns it, on demand
  bool std_atomics = false;      // operations of std::atomic are schedule points, too, with the orders as written
  unsigned pct_runs = 0;         // and so many runs by PCT on top
  bool sc = true;                // explore under sequential consistency
  bool weak = true;              // explore under weak memory
  unsigned step_limit = 20000;   // an execution longer than this is a livelock
  const char* expect = nullptr;  // the kind of failure that must be found, for tests of the lab itself
};

struct Scenario {
  const char* name;
  const char* about;
  void (*body)();
  Options options;
  const char* file;
};

namespace detail {
void add_scenario(const Scenario& scenario);
struct Registration {
  explicit Registration(const Scenario& scenario) { add_scenario(scenario); }
};
}  // namespace detail

#define LAB_SCENARIO(id, about, ...)                                                          \
  static void lab_scenario_##id();                                                            \
  static const ::lab::detail::Registration lab_registration_##id(                             \
      ::lab::Scenario{#id, about, &lab_scenario_##id, ::lab::Options __VA_ARGS__, __FILE__}); \
  static void lab_scenario_##id()

// Fails the execution unless `holds`.
void check(bool holds, const char* what, Site site = Site::here());
[[noreturn]] void fail(const std::string& what, const char* kind = "assertion");

// A line in the printed interleaving.
void note(const std::string& text, Site site = Site::here());

// Threads ------------------------------------------------------------------------------------------------------

struct Role {
  const char* name;
  std::function<void()> body;
};

// Starts all of them at once and waits until all have ended.
void together(std::initializer_list<Role> roles);

class Thread {
 public:
  Thread() = default;
  explicit Thread(unsigned id) noexcept : id_(id) {}
  void join(Site site = Site::here()) const;
  unsigned id() const noexcept { return id_; }

 private:
  unsigned id_ = 0;
};

// Starts one thread. `background`: the execution ends without it.
Thread spawn(const char* name, std::function<void()> body, bool background = false);

// The same for a library that creates threads: may fail, when the budget says so.
// Returns: whether there is a thread.
bool try_spawn(const char* name, std::function<void()> body, Thread& thread, bool background = false);

// The scenario that runs.
const Options& options();

const char* thread_name();
unsigned thread_id();

// Run at the beginning and at the end of every thread, on that thread; null: nothing.
void set_thread_hooks(void (*start)(), void (*exit)());

// exit(): runs what the library gave to atexit(), last first, on the calling thread; then the execution is over.
[[noreturn]] void exit_process();
// What must hold when all exit handlers have run. For this execution.
void set_exit_check(void (*function)());

// The calling thread never moves again; the execution is complete without it.
[[noreturn]] void sleep_for_ever(Site site = Site::here());
// The execution is complete without the calling thread from now on.
void run_in_background();
bool runs_in_background(unsigned thread);
// Whether the calling thread is the one that the process began with, or the only one since a fork.
bool is_initial_thread();
void rename_thread(const char* name);

// Runs when a scenario's body has returned, as its last step: what must hold at the end of every scenario.
void set_scenario_end(void (*function)());

// The calling thread is the only one from here on, as in the child of fork().
void vanish_others();

// One of 0 ... options-1; every one is tried.
unsigned choose(unsigned options);

// Memory -------------------------------------------------------------------------------------------------------

namespace detail {
void* allocate_named(std::size_t size, std::size_t alignment, const char* name);
}

// An object whose memory is watched: any access after destroy() fails the execution.
template <class T, class... Args>
T* make(const char* name, Args&&... args) {
  void* const memory = detail::allocate_named(sizeof(T), alignof(T), name);
  return ::new (memory) T(std::forward<Args>(args)...);
}

template <class T>
void destroy(T* object) {
  object->~T();
  ::operator delete(static_cast<void*>(object));
}

// Names memory in the printed interleaving.
void name(const void* begin, std::size_t size, const char* name);

// Collects the values that a word, cut down by `mask`, takes on: for the report. With a list of legal values, any other
// fails the execution.
void watch(const char* name, const void* word, std::uint64_t mask, std::initializer_list<std::uint64_t> legal = {});

// How many blocks the execution has allocated and not freed.
std::size_t live_allocations();

// The scenario's own record of what happened in which order. It orders nothing between the threads and is no race.
void mark(std::uint64_t value);
std::size_t mark_count();
std::uint64_t mark_at(std::size_t index);

namespace detail {
void plain_access(const void* where, std::size_t size, bool write, const Site& site);
}  // namespace detail

// Plain data whose every access is checked for races, also in code that is compiled without instrumentation.
template <class T>
class var {
 public:
  explicit var(T value = T{}) : value_(std::move(value)) {}
  T get(Site site = Site::here()) const {
    detail::plain_access(&value_, sizeof value_, false, site);
    return value_;
  }
  void set(T value, Site site = Site::here()) {
    detail::plain_access(&value_, sizeof value_, true, site);
    value_ = std::move(value);
  }

 private:
  T value_;
};

}  // namespace lab
