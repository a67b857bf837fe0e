// SPDX-License-Identifier: MIT
//
// A few OS threads, the pool, for any number of timers.
//
// Word     of a timer: its stage. Of the queue: the wheel of pending timers, the list of due ones, who watches.
// States   of a timer: fresh → pending → due → taken, or cancelled from any of the first three, from pending by way of
//          leaving. A timer that will never fire is pending without being in the wheel.
//          of a pool thread: watching (at most one), running a timer's function, idle.
// Moves    enqueue: start(), fresh → pending or due. take_due: a pool thread, pending → due. take: a pool thread,
//          due → taken; it then runs the function. cancel: anyone, removes the timer from where it is; one that is
//          pending it only hides, and the next cancel, or look at the wheel, unlinks it (leaving.hpp).
//          The watcher sleeps until the earliest deadline. The simple way, to wake a second thread that runs what is
//          due, would make every timer late by a second wake-up. So the watcher takes the timer itself, and before it
//          runs it appoints another pool thread to watch, if there is anything left to watch for (leader and follower).
//          To wake that one would make the timer late by the wake-up's price. An idle thread that gets up by itself
//          before the next timer is due is appointed in its sleep: it learns of it then, unless the thread that ran the
//          function is back first and takes the appointment. Who starts an earlier timer wakes it.
//          A pool thread that has run a function takes the next due timer: a hundred thousand functions that are due at
//          once run on one thread if they are short. The watcher, while timers are due, looks again after kPatience:
//          if none was taken meanwhile, the functions that run take long, and it takes one itself.
// I1       While a timer is pending in the wheel, or due, a thread watches or has been appointed to, or one that runs a
//          function will look when it is done (when the system has no thread to appoint).
// I2       No user code runs under the lock, nor on the watcher.
// I3       The watcher, or who was appointed in its sleep, is told of every timer that is earlier than what it sleeps
//          until.
// I4       An idle thread leaves only when it has lingered, not when another took its appointment; and not the last one
//          while timers fire. Or each firing would have to make the thread that watches after it.
// Lock     All of this is guarded by the registry's lock, not by one of its own: a start lists the timer and queues it,
//          a cancel does the reverse, and each takes a lock once.
// Orders   The lock orders everything.
// Destroy  A timer that was started is kept by its running thread's reference until after finish(); it is in no list
//          then. Nothing of the queue is destroyed: timers may fire while the process ends.
// Fork     The child has neither pool threads nor pending timers: like all other threads they are over, and a cancel
//          leaves them alone.
#include "timer/timer_queue.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <threading/with.hpp>

#include "base/hooks.hpp"
#include "platform/fork.hpp"
#include "platform/os_thread.hpp"
#include "threads/life.hpp"
#include "threads/registry.hpp"
#include "threads/shutdown.hpp"
#include "timer/queue_state.hpp"

namespace threading::inline v1::timer {
namespace {

namespace backend = detail::backend;
using detail::PerThread;
using threads::registry_lock;
using Stage = TimerState::Stage;

// How long due timers may wait without one of them being taken, before another thread takes one. Nanoseconds.
constexpr std::int64_t kPatience = 1'000'000;
// How long an idle pool thread stays, in case more is to come. Nanoseconds.
constexpr std::int64_t kLinger = 1'000'000'000;
// How long before a timer is due an idle thread must get up by itself to be appointed in its sleep: many times what a
// wake-up takes (wake_lag.hpp). Nanoseconds.
constexpr std::int64_t kHeadStart = 1'000'000;

// How many timers are looked at before one fires. All that are due at the same time would keep the first one, and
// everybody who starts or cancels a timer, waiting for milliseconds: a hundred thousand take two.
constexpr std::size_t kBatch = 64;

const WaitKind kWatchKind{.name = "timers", .is_internal = true};

constinit Queue queue;

// ---- the pool, under the lock unless told otherwise ----

void* pool_main(void*);

// Sees to it that somebody watches. Returns: false when the system has no thread for it.
bool appoint() noexcept {
  if (queue.is_watched) return true;
  std::int64_t watched_until = INT64_MIN;  // it will look before it sleeps
  if (queue.idle != 0) {
    --queue.idle;
    queue.appointments.fetch_add(1, std::memory_order_relaxed);  // relaxed: under the lock; read under the bucket's
    if (queue.due.is_empty() && queue.wheel.next() - kHeadStart >= queue.idle_until) {
      watched_until = queue.idle_until;
    } else {
      unpark_one(&queue.appointments);
    }
  } else {
    if (!platform::start_detached_os_thread(&pool_main)) return false;
  }
  queue.is_watched = true;
  queue.watched_until = watched_until;
  return true;
}

TimerState* take() noexcept {
  TimerState* const timer = queue.due.pop_front();
  if (timer == nullptr) return nullptr;
  timer->stage = Stage::taken;
  ++queue.taken;
  ++queue.running;
  return timer;
}

// Whatever stays behind is found by next(), which lies in the past then.
void collect_due() noexcept {
  TimerState* gone = nullptr;
  if (queue.leaving.settle(queue.wheel, gone) && gone != nullptr) detail::release(*gone);
  queue.wheel.take_due(backend::monotonic_now(), queue.due, kBatch);
}

// Requires: it is fresh, pending or due.
void take_out(TimerState& timer) noexcept {
  if (timer.stage == Stage::due) {
    queue.due.remove(timer);
  } else if (timer.stage == Stage::pending && timer.deadline != INT64_MAX) {
    queue.wheel.remove(timer);
  }
}

// Without the lock: sleeps until the deadline. Returns: false if it was called before.
bool sleeps_until(std::int64_t deadline) {
  const auto is_uncalled = []() noexcept {
    return !queue.is_called.load(std::memory_order_relaxed);  // relaxed: its store is followed by an unpark
  };
  const ParkResult result = park(
      &queue.is_called, kWatchKind, is_uncalled, []() noexcept {}, [](bool, LeaveReason) noexcept {},
      {.deadline = Deadline::at(deadline)});
  return result.outcome == ParkOutcome::timed_out;
}

// Without the lock: sleeps until there may be something to do.
void sleep_as_watcher(std::int64_t until) {
  const std::int64_t alarm = backend::cpu_count() < 2 ? until : until - queue.wake_lag.lead();
  std::int64_t now = backend::monotonic_now();
  if (now < alarm) {
    if (!sleeps_until(alarm)) return;
    now = backend::monotonic_now();
    queue.wake_lag.note(now - alarm);
  }
  // relaxed: a hint; it is looked at again under the lock.
  while (now < until && !queue.is_called.load(std::memory_order_relaxed)) {
    backend::cpu_relax();
    now = backend::monotonic_now();
  }
}

// Watches until there is a timer for this thread to take, or nothing left to watch for; it is not the watcher any more
// then. Returns: the timer, or null.
TimerState* watch() noexcept THREADING_REQUIRES(registry_lock) {
  for (;;) {
    const bool had_due = !queue.due.is_empty();
    if (!had_due) collect_due();
    if (!queue.due.is_empty() && (!had_due || queue.running == 0)) break;
    if (!had_due && queue.wheel.is_empty()) {
      queue.is_watched = false;
      return nullptr;
    }
    const std::uint64_t taken = queue.taken;
    queue.watched_until = had_due ? backend::monotonic_now() + kPatience : queue.wheel.next();
    queue.is_called.store(false, std::memory_order_relaxed);  // relaxed: under the lock
    const std::int64_t until = queue.watched_until;
    registry_lock.unlock();
    sleep_as_watcher(until);
    registry_lock.lock();
    if (had_due && taken == queue.taken && !queue.due.is_empty()) break;
  }
  queue.is_watched = false;
  return take();
}

// Without work: waits to be appointed. Returns: false when the thread has lingered long enough.
bool idle() noexcept THREADING_REQUIRES(registry_lock) {
  const auto is_unwanted = []() noexcept {
    // relaxed: an increment that is to end the sleep is followed by an unpark.
    return queue.appointments.load(std::memory_order_relaxed) == 0;
  };
  ++queue.idle;
  for (;;) {
    const std::uint64_t taken = queue.taken;
    queue.idle_until = backend::monotonic_now() + kLinger;
    const Deadline deadline = Deadline::at(queue.idle_until);
    registry_lock.unlock();
    const ParkResult result = park(
        &queue.appointments, kWatchKind, is_unwanted, []() noexcept {}, [](bool, LeaveReason) noexcept {},
        {.deadline = deadline});
    registry_lock.lock();
    // Whoever comes first takes an appointment, whether it was woken for it, just gives up or has not slept.
    if (queue.appointments.load(std::memory_order_relaxed) != 0) {  // relaxed: under the lock
      queue.appointments.fetch_sub(1, std::memory_order_relaxed);   // relaxed: under the lock
      return true;
    }
    if (result.outcome == ParkOutcome::timed_out && (queue.idle > 1 || taken == queue.taken)) break;  // I4
  }
  --queue.idle;
  return false;
}

// ---- one timer ----

// The Timer is over: its function destroyed, joiners go. Without the lock. Requires: it is not listed any more.
void end(TimerState& timer) noexcept {
  threads::destroy_body(timer);
  threads::finish(timer);
}

void conclude(TimerState& timer) noexcept {  // and its thread's reference is given up
  end(timer);
  detail::release(timer);
}

constexpr const char* kPoolName = "timers";

// Makes the calling pool thread the Timer's for a scope. When a forced unwind leaves the function, it ends the timer;
// otherwise whoever comes next does, who has the lock to take anyway.
class Firing {
 public:
  Firing(PerThread& self, TimerState& timer, NativeId native_id, bool is_named) noexcept
      : self_(self), timer_(timer), is_named_(is_named) {
    threads::enter_pooled(self, timer, native_id, is_named);
    self_.ident = threads::ident_of(timer);
    base::call(base::hooks.thread_starts);
  }
  Firing(const Firing&) = delete;
  Firing& operator=(const Firing&) = delete;
  ~Firing() {
    base::call(base::hooks.thread_ends);
    threads::destroy_body(timer_);
    threads::end_locals(self_);
    self_.thread = nullptr;
    self_.ident = 0;
    if (is_named_) platform::name_os_thread(kPoolName);
    if (is_complete_) return;
    {
      const With hold(registry_lock);
      threads::unlist(timer_);
      --queue.running;
    }
    conclude(timer_);
  }

  void completes() noexcept { is_complete_ = true; }

 private:
  PerThread& self_;
  TimerState& timer_;
  bool is_named_;
  bool is_complete_ = false;
};

void fire(PerThread& self, TimerState& timer, NativeId native_id, bool is_named) {
  Firing firing(self, timer, native_id, is_named);
  threads::stop_if_frozen();
  threads::run_body(timer);
  firing.completes();
}

THREADING_NO_THREAD_SAFETY_ANALYSIS void* pool_main(void*) {
  PerThread& self = backend::per_thread();
  const std::uint32_t forks = threads::fork_count();
  platform::want_exact_timers();
  platform::name_os_thread(kPoolName);
  const NativeId native_id = platform::os_native_id();
  bool watches = true;          // whoever made this thread has appointed it
  TimerState* fired = nullptr;  // not listed any more, and to be concluded as soon as the lock is free
  registry_lock.lock();
  for (;;) {
    TimerState* timer = nullptr;
    if (watches) {
      timer = watch();
    } else {
      if (queue.due.is_empty()) collect_due();
      timer = take();
    }
    if (timer != nullptr) {
      if (!queue.due.is_empty() || !queue.wheel.is_empty()) appoint();  // failing is allowed by I1
      const bool is_named = threads::has_name(*timer);
      registry_lock.unlock();
      if (fired != nullptr) conclude(*fired);
      fire(self, *timer, native_id, is_named);
      registry_lock.lock();
      threads::unlist(*timer);
      if (forks != threads::fork_count()) {
        // In a forked child this is the only thread, and not one of a pool any more.
        registry_lock.unlock();
        conclude(*timer);
        return nullptr;
      }
      --queue.running;
      watches = false;
      fired = timer;
    } else if (fired != nullptr) {
      registry_lock.unlock();
      conclude(*std::exchange(fired, nullptr));
      registry_lock.lock();  // somebody may have come meanwhile: look again
    } else if (!queue.is_watched && (!queue.due.is_empty() || !queue.wheel.is_empty())) {
      queue.is_watched = watches = true;  // there was no thread to appoint
    } else if (idle()) {
      watches = true;
    } else {
      registry_lock.unlock();
      return nullptr;
    }
  }
}

// What becomes of a timer that is started.
enum class Queued : std::uint8_t { cancelled, watched, must_call, must_wake, failed };

// Under the lock.
Queued queue_up(TimerState& timer, std::int64_t now) noexcept {
  const Timeout interval = timer.interval();
  const Deadline deadline = interval.deadline(now);
  timer.stage = Stage::pending;
  timer.deadline = deadline.nanoseconds();
  if (deadline.is_never()) return Queued::watched;
  if (deadline.nanoseconds() <= now || !queue.wheel.insert(timer, now)) {
    timer.stage = Stage::due;
    queue.due.push_back(timer);
  }
  if (!queue.is_watched) {
    if (appoint()) return Queued::watched;
    take_out(timer);
    timer.stage = Stage::fresh;
    timer.interval(interval);
    return Queued::failed;
  }
  if (timer.stage != Stage::due && deadline.nanoseconds() >= queue.watched_until) return Queued::watched;
  if (queue.watched_until == INT64_MIN) return Queued::watched;  // called already, and not asleep since
  queue.watched_until = INT64_MIN;
  // relaxed: under the lock
  if (queue.appointments.load(std::memory_order_relaxed) != 0) return Queued::must_wake;  // appointed in its sleep
  queue.is_called.store(true, std::memory_order_relaxed);  // relaxed: the caller's unpark follows
  return Queued::must_call;
}

// Around a fork the lock is held by the room below.
void after_fork_in_child() noexcept {
  queue.wheel.reset();
  queue.leaving.reset();
  queue.due = TimerList();
  queue.running = 0;
  queue.idle = 0;
  queue.is_watched = false;
  queue.is_called.store(false, std::memory_order_relaxed);  // relaxed: one thread is left
  queue.appointments.store(0, std::memory_order_relaxed);   // relaxed: as above
}

[[maybe_unused]] const bool forks_are_handled =
    (platform::on_fork(platform::ForkRoom::timer, {.child = &after_fork_in_child}), true);

}  // namespace

bool enqueue(TimerState& timer) {
  const std::int64_t now = backend::monotonic_now();
  Queued queued = Queued::cancelled;
  {
    const With hold(registry_lock);
    threads::begin(timer);
    if (timer.stage != Stage::cancelled) {
      queued = queue_up(timer, now);
    } else {
      threads::unlist(timer);
    }
  }
  switch (queued) {
    case Queued::cancelled: conclude(timer); break;
    case Queued::watched: break;
    case Queued::must_call: unpark_one(&queue.is_called); break;
    case Queued::must_wake: unpark_one(&queue.appointments); break;
    case Queued::failed: return false;
  }
  return true;
}

void cancel(TimerState& timer) noexcept {
  TimerState* gone = &timer;  // whose reference is to be given up
  {
    const With hold(registry_lock);
    const Stage before = timer.stage;
    if (before == Stage::cancelled || before == Stage::leaving || before == Stage::taken) return;
    // One that was pending when this process was forked is over here, and in no list.
    if (before != Stage::fresh && !timer.is_listed) return;
    if (before == Stage::pending && timer.deadline != INT64_MAX && queue.leaving.settle(queue.wheel, gone)) {
      queue.leaving.add(timer);
    } else {
      take_out(timer);
      timer.stage = Stage::cancelled;
      if (before == Stage::fresh) return;
      threads::unlist(timer);
    }
  }
  end(timer);
  if (gone != nullptr) detail::release(*gone);
}

}  // namespace threading::inline v1::timer
