// SPDX-License-Identifier: MIT
//
// How a thread is started, ends, and is joined. What it does in between is told in run.cpp.
//
// Word     bits 0–1 the phase: 0 fresh, 1 alive, 2 ended, 3 over. bit 2 claimed: one joiner has taken it upon itself to
//          wait for the OS thread. bit 3 parked: somebody may be queued. bit 4 handle: `os` is known.
// States   fresh: not started. alive: from start() on. ended: the thread's last library code has run, its OS thread may
//          still be there. over: nothing is left of it.
//          A timer, a dummy, the main thread and a thread of a language runtime have no OS thread to wait for: they go
//          from alive to over.
// Moves    start: fresh → alive, under the registry's lock; back if the system has no thread. handle: by the starter.
//          claim: a joiner, once, while the thread is alive or ended and the handle known.
//          end: the thread itself, alive → ended, in the last stage of its exit.
//          finish: the claimer, or the thread where there is no OS thread: → over; wakes everybody.
// Joining  The simple way, park until `ended` and then pthread_join(), makes a joiner wake up twice when it shares a
//          processor with the thread. So the first joiner without bound claims the end at once and spends its wait
//          inside pthread_join(), queued in the lot only for dump() to see; nobody but the kernel wakes it. Other
//          joiners wait in the lot until it says `over`. If all have bounds, the ending thread wakes them, and one
//          claims: what is left to wait for is then a few microseconds.
// I1       parked is set and cleared only under the bucket's lock: who changes the phase without it has nobody to wake.
// I2       The claim is final and only the claimer calls pthread_join(): exactly once, or never if nobody joins; then
//          the last reference does it.
// I3       A waiter that is queued while the thread is ended waits for a claimer that is in pthread_join(), or for the
//          starter to write the handle: neither takes long, so its deadline does not count any more.
// I4       After a fork, a thread of another process than this is over, whatever its word says: see effective().
// Orders   R1 release of the moves to ended and over pairs with A1, acquire of who sees them: what the thread did is
//          visible to a joiner. R2 release of the move to handle pairs with A2: `os` is. R3 release of the move to
//          alive pairs with A1: `fork_count` is.
// Destroy  The running thread owns a reference until after its last move; a joiner's handle keeps the rest.
#include "threads/life.hpp"

#include <utility>

#include <threading/with.hpp>

#include "base/hooks.hpp"
#include "platform/thread_exit.hpp"
#include "threads/registry.hpp"
#include "threads/shutdown.hpp"

namespace threading::inline v1::threads {
namespace {

namespace backend = detail::backend;
using detail::WaitOptions;
using detail::WaitOutcome;

constexpr std::uint32_t kPhase = ThreadState::kPhase;
constexpr std::uint32_t kFresh = 0;
constexpr std::uint32_t kAlive = 1;
constexpr std::uint32_t kEnded = 2;
constexpr std::uint32_t kOver = 3;
constexpr std::uint32_t kClaimed = 4;
constexpr std::uint32_t kParked = 8;
constexpr std::uint32_t kHandle = 16;

// How often a joiner without bound offers the processor before it sleeps: a short thread that shares the processor has
// ended then, and nobody needs to be woken.
constexpr int kOffers = 1;

constinit backend::atomic<std::uint32_t> forks{0};

constexpr std::uint32_t phase_of(std::uint32_t word) noexcept { return word & kPhase; }
constexpr std::uint32_t with_phase(std::uint32_t word, std::uint32_t to) noexcept { return (word & ~kPhase) | to; }

// The word as it is to be read in this process (I4).
std::uint32_t effective(const ThreadState& state, std::uint32_t word) noexcept {
  if (phase_of(word) == kFresh || state.fork_count == fork_count()) return word;
  return kOver;
}

std::uint32_t load(const ThreadState& state) noexcept {
  // A1, A2: acquire pairs with R1, R2 and R3.
  return effective(state, state.join.word.load(std::memory_order_acquire));
}

const OsThreadState& os_thread_of(const ThreadState& state) noexcept {
  return static_cast<const OsThreadState&>(state);  // has_os_thread() has said so
}

bool has_os_thread(const ThreadState& state) noexcept {
  // relaxed: changed in a forked child only, when it has one thread.
  return state.kind == ThreadState::Kind::thread &&
         state.role.load(std::memory_order_relaxed) != ThreadState::Kind::main;
}

ThreadToken runner_of(const void* key) noexcept {
  // relaxed: for display.
  return static_cast<const ThreadState::Join*>(key)->token.load(std::memory_order_relaxed);
}

const WaitKind kThreadKind{"Thread", &runner_of};

// Changes the word as `change` says, under the bucket's lock, and wakes as many waiters as it says in `wake`.
// `change(word, size)` may be called more than once.
template <class Change>
void change_and_wake(ThreadState& state, Change change) noexcept {
  unpark(&state.join, [&](const QueueView& queue) noexcept -> UnparkDecision {
    std::uint32_t seen = state.join.word.load(std::memory_order_relaxed);  // relaxed: the exchange decides
    for (;;) {
      std::uint32_t next = seen;
      const std::size_t wake = change(next, queue.size);
      if (wake >= queue.size) next &= ~kParked;
      // R1, R2: release pairs with A1 and A2. relaxed on failure: tried again.
      if (state.join.word.compare_exchange_weak(seen, next, std::memory_order_release, std::memory_order_relaxed)) {
        return {wake};
      }
    }
  });
}

// The thread's own last move.
void end(ThreadState& state) noexcept {
  std::uint32_t seen = state.join.word.load(std::memory_order_relaxed);  // relaxed: the exchange decides
  while ((seen & kParked) == 0 || (seen & kClaimed) != 0) {
    // R1 release pairs with A1. relaxed on failure: tried again.
    if (state.join.word.compare_exchange_weak(seen, with_phase(seen, kEnded), std::memory_order_release,
                                              std::memory_order_relaxed)) {
      return;
    }
  }
  // All, though one claims it and the others queue up again: the first may be in its hook, and wait there for them.
  change_and_wake(state, [](std::uint32_t& word, std::size_t size) noexcept -> std::size_t {
    word = with_phase(word, kEnded);
    return (word & kClaimed) != 0 ? 0 : size;
  });
}

// Requires: the word's exchange to claimed was this thread's.
void wait_for_os_thread(ThreadState& state) noexcept {
  platform::join_os_thread(os_thread_of(state).os);
  finish(state);
}

// Waits as the claimer of a thread that is alive: asleep in pthread_join(), awake in the lot's eyes.
void join_directly(ThreadState& state) {
  const auto queue_up = [&]() noexcept {
    state.join.word.fetch_or(kParked, std::memory_order_relaxed);  // relaxed: under the bucket's lock (I1)
    return true;
  };
  static_cast<void>(park(
      &state.join, kThreadKind, queue_up, [&]() noexcept { wait_for_os_thread(state); },
      [](bool, LeaveReason) noexcept {}));
}

bool try_claim(ThreadState& state, std::uint32_t seen) noexcept {
  // relaxed: load(), which gave `seen`, has acquired all that it says; on failure it is looked at again.
  return state.join.word.compare_exchange_strong(seen, seen | kClaimed, std::memory_order_relaxed,
                                                 std::memory_order_relaxed);
}

ParkResult park_for_end(ThreadState& state, const WaitOptions& options, Deadline deadline) {
  const auto must_wait = [&]() noexcept {
    // relaxed, here and below: who comes here has seen by load() that the thread was started, and acquired the rest.
    std::uint32_t seen = state.join.word.load(std::memory_order_relaxed);
    for (;;) {
      const std::uint32_t phase = phase_of(effective(state, seen));
      const bool can_claim = phase == kEnded && (seen & (kClaimed | kHandle)) == kHandle;
      if (phase == kFresh || phase == kOver || can_claim) return false;
      if (state.join.word.compare_exchange_weak(seen, seen | kParked, std::memory_order_relaxed,
                                                std::memory_order_relaxed)) {
        return true;
      }
    }
  };
  const auto leave = [&](bool has_more, LeaveReason) noexcept {
    // relaxed: under the bucket's lock (I1).
    if (!has_more) state.join.word.fetch_and(~kParked, std::memory_order_relaxed);
  };
  return park(&state.join, kThreadKind, must_wait, []() noexcept {}, leave,
              {.deadline = deadline,
               .interruptible = options.interruptible,
               .on_signal = options.on_signal,
               .stop = options.stop});
}

// The last stage of an OS thread's exit.
void thread_is_gone(PerThread& self) noexcept {
  ThreadState* const state = std::exchange(self.thread, nullptr);
  if (state == nullptr) return;
  {
    const With hold(registry_lock);
    unlist(*state);
  }
  if (has_os_thread(*state)) {
    end(*state);
  } else {
    finish(*state);
  }
  release(*state);
}

[[maybe_unused]] const bool ends_are_handled =
    (platform::on_thread_exit(platform::ExitStage::gone, &thread_is_gone), true);

// Undoes a begun start. Joiners and others that wait meanwhile look again.
THREADING_COLD void take_back_start(ThreadState& state) noexcept {
  {
    const With hold(registry_lock);
    unlist(state);
  }
  change_and_wake(state, [](std::uint32_t& word, std::size_t size) noexcept {
    word = kFresh;
    return size;
  });
  take_back_native_id(state);
}

}  // namespace

std::uint32_t fork_count() noexcept { return forks.load(std::memory_order_relaxed); }  // relaxed: see note_fork()

// Requires: the registry's lock, or that nobody else knows the state. Does not write what is there already: a start
// that failed may have shown it to others, or somebody may know the main thread, and they read it without a lock.
static void belong_to_this_process(ThreadState& state) noexcept {
  if (state.fork_count != fork_count()) state.fork_count = fork_count();
}

// Requires: the registry's lock; it is fresh.
static void make_alive(ThreadState& state) noexcept {
  belong_to_this_process(state);
  // R3 release pairs with A1. Nobody else changes the word of a fresh thread: a store will do.
  state.join.word.store(kAlive, std::memory_order_release);
  list(state);
}

void note_fork(ThreadState& survivor) noexcept {
  platform::crowd_of_joiners.reset_after_fork();
  forks.store(fork_count() + 1, std::memory_order_relaxed);                 // relaxed: the child has one thread
  survivor.role.store(ThreadState::Kind::main, std::memory_order_relaxed);  // relaxed: as above
  survivor.native_id.store(0, std::memory_order_relaxed);                   // relaxed: as above
  begin_alive(survivor);
}

void begin_alive(ThreadState& state) noexcept {
  belong_to_this_process(state);
  // relaxed, here and below: nobody else knows the state, or the registry's lock is held.
  state.join.word.store(kAlive | kHandle, std::memory_order_relaxed);
  state.join.token.store(detail::thread_token(), std::memory_order_relaxed);
  if (state.kind != ThreadState::Kind::timer) {
    static_cast<OsThreadState&>(state).ident.store(get_ident(), std::memory_order_relaxed);
  }
  tell_native_id(state, static_cast<std::uint32_t>(platform::os_native_id()));
}

bool is_started(const ThreadState& state) noexcept { return phase_of(load(state)) != kFresh; }
bool is_alive(const ThreadState& state) noexcept { return phase_of(load(state)) == kAlive; }

void begin(ThreadState& state) {
  if (is_started(state)) throw RuntimeError("threads can only be started once");
  if (state.takes_stop) stop_source_of(state);
  make_alive(state);
}

void start(ThreadState& state) {
  const bool is_embedded = state.kind == ThreadState::Kind::embedded;
  if (is_embedded || is_frozen()) [[unlikely]] {
    if (is_started(state)) throw RuntimeError("threads can only be started once");
    if (is_embedded) throw RuntimeError("the thread's own runtime must start it");
    throw RuntimeError("can't create new thread at interpreter shutdown");
  }
  wait_for_threads_at_exit();
  // relaxed: filled before the first Timer was made.
  const bool is_launched = state.kind == ThreadState::Kind::timer
                               ? base::hooks.launch_timer.load(std::memory_order_relaxed)(state)
                               : static_cast<OsThreadState&>(state).launch();
  if (!is_launched) {
    take_back_start(state);
    throw RuntimeError("can't start new thread", std::errc::resource_unavailable_try_again);
  }
}

bool begin_embedded(ThreadState& state) noexcept {
  {
    const With hold(registry_lock);
    if (is_started(state)) return false;
    make_alive(state);
  }
  return true;
}

void take_back_embedded(ThreadState& state) noexcept { take_back_start(state); }

WaitOutcome join(ThreadState& state, const WaitOptions& options) {
  const bool unbounded = options.deadline.is_never() && !options.interruptible && options.stop == nullptr;
  int offers = kOffers;
  for (;;) {
    const std::uint32_t seen = load(state);
    if (phase_of(seen) == kOver) return WaitOutcome::ok;
    const bool has_ended = phase_of(seen) == kEnded;
    const bool can_claim = has_os_thread(state) && (seen & (kClaimed | kHandle)) == kHandle;
    if (can_claim && unbounded && !has_ended && offers-- > 0 && platform::crowd_of_joiners.offer()) continue;
    if (can_claim && (has_ended || unbounded)) {
      if (!try_claim(state, seen)) continue;
      has_ended ? wait_for_os_thread(state) : join_directly(state);
      return WaitOutcome::ok;
    }
    const Deadline deadline = has_ended ? Deadline::never() : options.deadline;  // I3
    if (deadline == Deadline::passed()) return WaitOutcome::timed_out;
    switch (park_for_end(state, options, deadline).outcome) {
      case ParkOutcome::woken:
      case ParkOutcome::changed: break;
      case ParkOutcome::timed_out: return WaitOutcome::timed_out;
      case ParkOutcome::interrupted: return WaitOutcome::interrupted;
    }
    if (!is_started(state)) return WaitOutcome::timed_out;  // its start has failed
  }
}

bool finish(ThreadState& state) noexcept {
  std::uint32_t seen = state.join.word.load(std::memory_order_relaxed);  // relaxed: the exchange decides
  while ((seen & kParked) == 0) {
    if (phase_of(seen) == kOver) return false;
    // R1 release pairs with A1. relaxed on failure: tried again.
    if (state.join.word.compare_exchange_weak(seen, with_phase(seen, kOver), std::memory_order_release,
                                              std::memory_order_relaxed)) {
      return true;
    }
  }
  bool is_first = false;
  change_and_wake(state, [&](std::uint32_t& word, std::size_t size) noexcept {
    is_first = phase_of(word) != kOver;
    word = with_phase(word, kOver);
    return size;
  });
  return is_first;
}

void reap(OsThreadState& state) noexcept {
  // A claimer has a reference until the thread is over: none is in pthread_join() here.
  if (!has_os_thread(state) || phase_of(load(state)) != kEnded) return;
  if (state.os.handle == platform::os_ident()) {
    platform::leave_os_thread(state.os);
  } else {
    platform::join_os_thread(state.os);
  }
}

}  // namespace threading::inline v1::threads

namespace threading::inline v1::detail {

bool OsThreadState::launch() {
  {
    const With hold(threads::registry_lock);
    threads::begin(*this);
  }
  platform::OsThread made;
  if (!platform::start_os_thread(made, &threads::thread_main, this, threads::stack_size_of(*this))) return false;
  os = made;
  ident.store(made.handle, std::memory_order_relaxed);  // relaxed: a number and nothing else; the thread stores it, too
  // R2 release pairs with A2. relaxed would do for kParked: whoever queued without the handle must look again.
  if ((join.word.fetch_or(threads::kHandle, std::memory_order_release) & threads::kParked) != 0) {
    threads::change_and_wake(*this, [](std::uint32_t&, std::size_t size) noexcept { return size; });
  }
  return true;
}

}  // namespace threading::inline v1::detail
