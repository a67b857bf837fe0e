// SPDX-License-Identifier: MIT
//
// The public face of threads: each function checks what its caller may get wrong, and hands on to life.cpp (start,
// join, end) and registry.cpp (who exists).
//
// Word     a state's count of references; what life.cpp and registry.cpp tell of it.
// States   a reference for each handle, and the thread's own, from the making of the state to the end of the thread: so
//          a start has nothing to count. It is destroyed by whoever finds itself the last: with the only reference, or
//          with the only handle of a thread that was not started.
// Moves    retain: anyone who has a reference. release: the same; the last one leaves the count as it is.
// I1       Who holds the only handle of a thread that is not started is alone: nobody else can start it, or knows it.
//          What it reads is true: whoever changed the phase had a handle, and its release of that was seen.
// Destroy  A state and its body are one block of memory; the body lies behind the state. The body may go earlier, when
//          it has run.
// Orders   R1 release of each decrement pairs with A1, acquire before the state is destroyed. The phase is read
//          relaxed: where it decides, A1 has made what the others did to it visible (I1); else the exchange fails.
#include <threading/thread.hpp>

#include <algorithm>
#include <bit>
#include <limits>
#include <memory>
#include <new>

#include <threading/with.hpp>

#include "platform/block.hpp"
#include "threads/life.hpp"
#include "threads/registry.hpp"
#include "threads/shutdown.hpp"

namespace threading::inline v1 {
namespace {

namespace backend = detail::backend;
using detail::ThreadAccess;
using detail::ThreadState;
using threads::current_state;
using threads::registry_lock;

constinit backend::atomic<std::size_t> default_stack_size{0};

constexpr std::size_t kSmallestStack = 32768;

// Returns: a size to give to the system.
std::size_t checked_stack_size(std::size_t bytes) {
  if (bytes == 0) return 0;
  if (bytes > static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max())) {
    throw ValueError("size must be 0 or a positive value");
  }
  if (bytes < kSmallestStack) throw ValueError("size not valid: " + std::to_string(bytes) + " bytes");
  return platform::round_stack_size(bytes);
}

bool join(const Thread& thread, Timeout timeout, const backend::stop_token* stop) {
  ThreadState& state = threads::checked_for_join(thread);
  return threads::join(state, {.deadline = timeout.deadline(), .stop = stop}) == detail::WaitOutcome::ok;
}

}  // namespace

namespace threads {

ThreadState& checked_for_join(const Thread& thread) {
  ThreadState& state = ThreadAccess::state(thread);
  stop_if_frozen();
  // relaxed: changed in a forked child only, when it has one thread.
  if (state.role.load(std::memory_order_relaxed) == ThreadState::Kind::dummy) {
    throw RuntimeError("cannot join a dummy thread");
  }
  if (!is_started(state)) throw RuntimeError("cannot join thread before it is started");
  if (&state == backend::per_thread().thread) throw DeadlockError("cannot join current thread");
  // relaxed: not changed any more after start().
  if (is_frozen() && state.is_daemon.load(std::memory_order_relaxed) && is_alive(state)) {
    throw RuntimeError("cannot join thread at interpreter shutdown");
  }
  return state;
}

std::size_t stack_size_of(const detail::OsThreadState& state) noexcept {
  if (state.stack_size != 0) return state.stack_size;
  return default_stack_size.load(std::memory_order_relaxed);  // relaxed: a number and nothing else
}

}  // namespace threads

namespace detail {

Body::~Body() = default;

ThreadState::~ThreadState() {
  if (Body* const there = body()) there->~Body();
  delete label.extras();
}

OsThreadState::~OsThreadState() { threads::reap(*this); }

void retain(ThreadState& state) noexcept {
  state.refs.fetch_add(1, std::memory_order_relaxed);  // relaxed: the caller has a reference already
}

namespace {

// Called with the last reference, or with the only handle of a thread that was not started.
void destroy(ThreadState& state) noexcept {
  const platform::Block block{&state, state.block};
  const std::size_t align = state.align();
  if (state.kind == ThreadState::Kind::timer) {
    state.~ThreadState();
  } else {
    static_cast<OsThreadState&>(state).~OsThreadState();
  }
  platform::give_back_block(block, align);
}

}  // namespace

void release(ThreadState& state) noexcept {
  std::uint32_t seen = state.refs.load(std::memory_order_acquire);  // A1 acquire pairs with R1
  // I1: of a thread that was not started nobody gives the thread's own reference up. The exchange, not a subtraction,
  // so that the two questions have one answer: between them another handle may start the thread, or fail to, and go.
  while (seen != (state.is_fresh() ? ThreadState::kUnstartedRefs : 1)) {
    // R1 release pairs with A1, and so does acquire on failure.
    if (state.refs.compare_exchange_weak(seen, seen - 1, std::memory_order_release, std::memory_order_acquire)) return;
  }
  destroy(state);
}

NewThread new_thread_block(ThreadOptions& options, const BodyPlan& plan, std::size_t size,
                           ThreadState* (*make)(void* at) noexcept) {
  if (options.stack_size != 0) options.stack_size = checked_stack_size(options.stack_size);
  // relaxed: not changed any more once the caller runs.
  const bool is_daemon = options.daemon ? *options.daemon : current_state().is_daemon.load(std::memory_order_relaxed);
  std::unique_ptr<Extras> extras;
  if (!options.name.empty()) {
    extras = std::make_unique<Extras>();
    extras->name = std::move(options.name);
    extras->has_name = true;
  }
  const std::size_t room_at = (size + plan.align - 1) & ~(plan.align - 1);  // as body_offset()
  const platform::Block block = platform::take_block(room_at + plan.size, plan.align);
  ThreadState& state = *make(block.at);
  state.block = block.number;
  state.align_bits = static_cast<std::uint8_t>(std::countr_zero(plan.align)) & 63u;
  state.is_daemon.store(is_daemon, std::memory_order_relaxed);  // relaxed: nobody else knows the state yet
  state.takes_stop = plan.takes_stop;
  state.keeps_body = plan.is_kept;
  if (extras == nullptr) {
    state.label.set_number(threads::next_number());
  } else {
    state.label.set_extras(extras.release());
  }
  return {&state, static_cast<std::byte*>(block.at) + room_at};
}

NewThread new_thread(ThreadOptions&& options, const BodyPlan& plan) {
  const NewThread made = new_thread_block(options, plan, sizeof(OsThreadState), [](void* at) noexcept -> ThreadState* {
    return ::new (at) OsThreadState(ThreadState::Kind::thread);
  });
  static_cast<OsThreadState&>(*made.state).stack_size = options.stack_size;
  return made;
}

// Where it is, state.body() knows.
void adopt_body(ThreadState& state) noexcept { state.has_body = true; }

}  // namespace detail

Runnable::~Runnable() = default;

void Thread::start() {
  threads::stop_if_frozen();
  threads::start(*handle_);
}

void Thread::join() const { static_cast<void>(join(forever)); }
bool Thread::join(Timeout timeout) const { return v1::join(*this, timeout, nullptr); }
bool Thread::join(Timeout timeout, backend::stop_token stop) const { return v1::join(*this, timeout, &stop); }

std::string Thread::name() const {
  const With hold(registry_lock);
  return threads::name_of(*handle_);
}

void Thread::name(std::string name) {
  {
    const With hold(registry_lock);
    detail::Extras& extras = threads::extras_of(*handle_);
    extras.name.swap(name);
    extras.has_name = true;
  }
  if (handle_.get() == backend::per_thread().thread) threads::name_this_thread(*handle_);
}

bool Thread::daemon() const {
  return (*handle_).is_daemon.load(std::memory_order_relaxed);  // relaxed: an answer and nothing else
}

void Thread::daemon(bool daemon) {
  const With hold(registry_lock);
  if (threads::is_started(*handle_)) throw RuntimeError("cannot set daemon status of active thread");
  (*handle_).is_daemon.store(daemon, std::memory_order_relaxed);  // relaxed: as above
}

bool Thread::is_alive() const { return threads::is_alive(*handle_); }

std::optional<Ident> Thread::ident() const {
  const Ident ident = threads::ident_of(*handle_);
  // A start that fails may have written one.
  if (ident == 0 || !threads::is_started(*handle_)) return std::nullopt;
  return ident;
}

std::optional<NativeId> Thread::native_id() const {
  const NativeId id = threads::native_id(*handle_);
  if (id == 0) return std::nullopt;
  return id;
}

std::exception_ptr Thread::exception() const {
  const With hold(registry_lock);
  const detail::Extras* const extras = (*handle_).label.extras();
  return extras == nullptr ? nullptr : extras->failure;
}

backend::stop_source& Thread::stop_source() const {
  const With hold(registry_lock);
  return threads::stop_source_of(*handle_);
}

Joining::~Joining() {
  thread_.stop_source().request_stop();
  try {
    thread_.join();
  } catch (const RuntimeError&) {
    // There is nothing to wait for: not started, the caller itself, a dummy, or a daemon that will never end any more.
  }
}

Thread current_thread() {
  threads::stop_if_frozen();
  return ThreadAccess::share(current_state());
}

Thread main_thread() { return ThreadAccess::share(threads::main_state()); }

std::vector<Thread> enumerate() {
  threads::stop_if_frozen();
  std::vector<Thread> found;
  const With hold(registry_lock);
  found.reserve(threads::listed_count());
  for (ThreadState* state = threads::next_listed(nullptr); state != nullptr; state = threads::next_listed(state)) {
    found.push_back(ThreadAccess::share(*state));
  }
  return found;
}

std::size_t active_count() {
  threads::stop_if_frozen();
  const With hold(registry_lock);
  return threads::listed_count();
}

Ident get_ident() {
  const Ident given = backend::per_thread().ident;
  return given != 0 ? given : platform::os_ident();
}
NativeId get_native_id() { return platform::os_native_id(); }

std::size_t stack_size() { return default_stack_size.load(std::memory_order_relaxed); }  // relaxed: a number
std::size_t stack_size(std::size_t bytes) {
  // relaxed: a number and nothing else.
  return default_stack_size.exchange(checked_stack_size(bytes), std::memory_order_relaxed);
}

}  // namespace threading::inline v1

std::size_t std::hash<threading::Thread>::operator()(const threading::Thread& thread) const noexcept {
  return std::hash<const void*>()(&threading::detail::ThreadAccess::state(thread));
}
