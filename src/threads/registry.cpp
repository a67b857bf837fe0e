// SPDX-License-Identifier: MIT
//
// Who exists.
//
// Word     a doubly linked list through the states, and which state is the main thread's. Guarded by registry_lock.
// States   of a state: not listed; listed exactly while it is alive, from start() until its OS thread runs its last
//          library code. The main thread is listed from the beginning.
// Moves    list: start(), current_thread() of a thread that has no state yet. unlist: the thread itself at its end; for
//          a timer the pool, or cancel(), before it destroys the function; what cancel() has hidden is linked for a
//          while yet, and is passed by. fork: the child keeps the caller alone.
// I1       The main thread is first, the others follow in the order of their start.
// I2       A listed state has a reference, that of its running thread: whoever holds the lock may take another.
// I3       Under the lock nothing is called but the allocator, and by timers what wakes or makes a pool thread: no user
//          code, no waiting.
// Orders   The lock orders everything but PerThread::thread, which belongs to the calling thread, and the number of a
//          default name, which may be read without it (thread_state.hpp).
// Destroy  Nothing here is destroyed: threads may outlive main() and static objects.
// Fork     The lock is taken before, with all others of this room, so the child finds the list whole. The states of
//          threads that do not exist in the child are dropped from it, never freed: somebody may hold a handle, and
//          what they own lives on stacks and in closures that no destructor may run for.
#include "threads/registry.hpp"

#include <algorithm>
#include <charconv>
#include <new>
#include <string_view>
#include <utility>

#include <threading/embedding.hpp>
#include <threading/with.hpp>

#include "base/check.hpp"
#include "base/hooks.hpp"
#include "platform/fork.hpp"
#include "threads/fork_locks.hpp"
#include "threads/life.hpp"

namespace threading::inline v1::threads {

constinit InternalLock registry_lock;
constinit Registry registry;
constinit detail::backend::atomic<std::uint64_t> last_number{0};

namespace {

namespace backend = detail::backend;

// Storage whose destructor never runs.
union MainStorage {
  constexpr MainStorage() noexcept : state(ThreadState::Kind::main) {}
  ~MainStorage() {}
  OsThreadState state;
};
constinit MainStorage first_main;

constinit backend::atomic<ThreadState*> the_main{&first_main.state};

constexpr std::size_t kDefaultNameSize = 32;  // for a word and twenty digits

// Every default name with its number; kind decides which. Requires: room for it, as kDefaultNameSize bytes are.
// Returns: how many bytes.
std::size_t format_default_name(char* text, std::size_t size, const ThreadState& state, std::uint64_t number) noexcept {
  const auto numbered = [&](const auto& word) noexcept {
    char* const end = std::copy_n(word, sizeof word - 1, text);
    return static_cast<std::size_t>(std::to_chars(end, text + size, number).ptr - text);
  };
  switch (state.kind) {
    case ThreadState::Kind::main: break;
    case ThreadState::Kind::dummy:
      // relaxed: changed in a forked child only, when it has one thread.
      if (state.role.load(std::memory_order_relaxed) != ThreadState::Kind::main) return numbered("Dummy-");
      break;
    case ThreadState::Kind::thread:
    case ThreadState::Kind::embedded:
    case ThreadState::Kind::timer: return numbered("Thread-");
  }
  return std::string_view("MainThread").copy(text, size);
}

// As much of the name as fits, without allocation and without a zero at the end. Requires: a default name fits.
// Returns: how many bytes.
std::size_t copy_name(const ThreadState& state, char* text, std::size_t size) noexcept {
  std::uint64_t number = 0;
  if (state.label.has_only(number)) return format_default_name(text, size, state, number);
  const With hold(registry_lock);
  if (has_name(state)) return state.label.extras()->name.copy(text, size);
  return format_default_name(text, size, state, state.label.number());
}

// For the last words of a process. Leaves the text empty for a foreign thread without a dummy.
void name_caller(char* text, std::size_t size) noexcept {
  if (const ThreadState* const state = current_state_if_any()) text[copy_name(*state, text, size - 1)] = '\0';
}

// release pairs with base::call().
[[maybe_unused]] const bool callers_have_names =
    (base::hooks.name_of_caller.store(&name_caller, std::memory_order_release), true);

// Puts the main thread before all others (I1): it may introduce itself late, when the library was loaded by another.
void list_first(ThreadState& state) noexcept {
  state.next = registry.first;
  (registry.first != nullptr ? registry.first->previous : registry.last) = &state;
  registry.first = &state;
  state.is_listed = true;
  ++registry.count;
}

// The main thread introduces itself. Requires: the caller is it. The lock makes a second call harmless.
void bind_main(PerThread& self, ThreadState& state) noexcept {
  self.thread = &state;
  retain(state);
  const With hold(registry_lock);
  detail::thread_token();  // its first use sees to it that the end of this thread is noticed
  threads::begin_alive(state);
  if (!state.is_listed) list_first(state);
}

ThreadState& make_dummy(PerThread& self) {
  auto* const state = new OsThreadState(ThreadState::Kind::dummy);
  state->label.set_number(next_number());
  // relaxed: nobody else knows the state yet.
  state->is_daemon.store(true, std::memory_order_relaxed);
  detail::thread_token();
  self.thread = state;
  begin_alive(*state);
  const With hold(registry_lock);
  list(*state);
  return *state;
}

// Normally the thread that loads the library is the one that will enter main().
[[maybe_unused]] const bool main_is_bound = (current_state_if_any(), true);

void prepare_to_fork() noexcept THREADING_NO_THREAD_SAFETY_ANALYSIS {
  lock_shutdown();
  lock_hooks();
  lock_locals();
  registry_lock.lock();
}

void after_fork_in_parent() noexcept THREADING_NO_THREAD_SAFETY_ANALYSIS {
  registry_lock.unlock();
  unlock_locals();
  unlock_hooks();
  unlock_shutdown();
}

void after_fork_in_child() noexcept {
  Embedding::reset_after_fork(registry_lock);
  reset_locals_after_fork();
  reset_hooks_after_fork();
  reset_shutdown_after_fork();
  for (ThreadState* state = registry.first; state != nullptr;) {
    ThreadState* const next = std::exchange(state->next, nullptr);
    state->previous = nullptr;
    state->is_listed = false;
    state = next;
  }
  registry = Registry();

  PerThread& self = backend::per_thread();
  if (self.thread == nullptr) {
    self.thread = new (std::nothrow) OsThreadState(ThreadState::Kind::dummy);
    THREADING_INVARIANT(self.thread != nullptr, "a forked child has memory for its main thread");
  }
  note_fork(*self.thread);
  // relaxed, here and below: one thread is left.
  if (self.thread->kind == ThreadState::Kind::dummy) self.thread->is_daemon.store(false, std::memory_order_relaxed);
  the_main.store(self.thread, std::memory_order_relaxed);
  list(*self.thread);
}

[[maybe_unused]] const bool forks_are_handled =
    (platform::on_fork(platform::ForkRoom::threads,
                       {.prepare = &prepare_to_fork, .parent = &after_fork_in_parent, .child = &after_fork_in_child}),
     true);

}  // namespace

ThreadState* current_state_if_any() noexcept {
  PerThread& self = backend::per_thread();
  if (self.thread == nullptr && fork_count() == 0 && platform::is_initial_thread()) bind_main(self, first_main.state);
  return self.thread;
}

ThreadState& make_current_state() {
  ThreadState* const state = current_state_if_any();
  return state != nullptr ? *state : make_dummy(backend::per_thread());
}

// relaxed: changed in a forked child only, when it has one thread.
ThreadState& main_state() noexcept { return *the_main.load(std::memory_order_relaxed); }

Ident ident_of(const ThreadState& state) noexcept {
  // No OS thread's ident is the address of a living object.
  if (state.kind == ThreadState::Kind::timer) return reinterpret_cast<std::uintptr_t>(&state);
  // relaxed: a number and nothing else.
  return static_cast<const OsThreadState&>(state).ident.load(std::memory_order_relaxed);
}

detail::Extras& extras_of(ThreadState& state) {
  if (state.label.extras() == nullptr) {
    auto* const made = new detail::Extras;
    made->number = state.label.number();
    state.label.set_extras(made);
  }
  return *state.label.extras();
}

backend::stop_source& stop_source_of(ThreadState& state) {
  std::optional<backend::stop_source>& stop = extras_of(state).stop;
  if (!stop) stop.emplace();
  return *stop;
}

bool has_name(const ThreadState& state) noexcept {
  const detail::Extras* const extras = state.label.extras();
  return extras != nullptr && extras->has_name;
}

std::string name_of(const ThreadState& state) {
  if (has_name(state)) return state.label.extras()->name;
  char text[kDefaultNameSize];
  return std::string(text, format_default_name(text, sizeof text, state, state.label.number()));
}

void name_this_thread(ThreadState& state) noexcept {
  char text[kDefaultNameSize];
  platform::name_os_thread({text, copy_name(state, text, sizeof text)});
}

}  // namespace threading::inline v1::threads
