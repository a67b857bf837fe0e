// SPDX-License-Identifier: MIT
//
// The lot: who waits where, and how a waiter and its waker part. The contract is in <threading/parking_lot.hpp>.
//
// Word     none of its own. Each waiting thread has a Waiter on its stack, linked into the queue of its key in the
//          key's bucket.
// States   of a waiter: fresh → queued → removed → woken; or queued → left. `queued` is true exactly while it is
//          linked.
// Moves    park: the owner links itself under the bucket's lock, if `validate` agrees.
//          unpark: anyone unlinks waiters under the bucket's lock, then wakes them without it.
//          requeue: anyone moves waiters between queues under both locks; `key` follows.
//          leave: the owner, after its parker returned for another reason than a wake, unlinks itself if it is still
//          linked. stop: the requesting thread unlinks the waiter in the owner's place.
// I1       A waiter is unlinked exactly once, under the lock of the bucket it is in: by a waker, by a stop request or
//          by its owner, whoever gets the lock first. Losing owners know, because `queued` is false.
// I2       Once unlinked by somebody else, a waiter stays on its owner's stack until that thread's unpark(): an owner
//          that timed out but lost waits for that wake, however short. So nobody touches a waiter that has left.
// I3       A moved waiter has been notified: its deadline and its stop request no longer end the wait, or the
//          notification would be lost.
// I4       Callbacks run under the bucket's lock and are the only code that runs there besides queue surgery. A word's
//          "someone waits" bit that is set in `validate` and cleared by `leave` and `decide` therefore never says
//          "nobody" while somebody is queued.
// I5       While a thread asks the hook of a wait, its waiter stays queued, and the hook may fork. The child then finds
//          the waiter queued alone, or, if it was chosen, lets it go: its waker is not there. It lets go of one that
//          was moved to a lock as well: the lock may be free, and who was woken before it is not there either. Who has
//          been chosen asks no more.
// I6       Whoever is woken alone (UnparkDecision::alone) takes itself out of `coming` before its park() returns, under
//          the bucket's lock, and stays on its stack until then. So a waker that wakes nobody because one is coming
//          knows that this one looks after it, by the order of the bucket's lock. Another that is woken alone may push
//          it out: then two are coming, and the first is forgotten.
// I7       A hook may run for long, and wait for threads that are queued behind its own. So nobody counts on a thread
//          that is `away` in its hook to take what it has been moved to and to pass it on: an unpark() lets go of such
//          waiters at the front besides those it wakes, and a requeue() that wakes such a one wakes the next as well.
//          That is for what can be held, a lock, as its WaitKind says. Elsewhere who has been moved waits to be told.
// Orders   The bucket's lock orders everything but the wake itself, which the parker's contract covers.
// Destroy  Keys are addresses, never dereferenced. After `decide` an unpark() uses only waiters, which I2 keeps alive.
#include <threading/parking_lot.hpp>

#include <algorithm>

#include <threading/detail/thread_token.hpp>

#include "base/hooks.hpp"
#include "parking/table.hpp"
#include "platform/fork.hpp"

namespace threading::inline v1 {
namespace {

namespace backend = detail::backend;
using parking::Bucket;
using parking::LockedBucket;
using parking::LockedBuckets;
using parking::Waiter;
using platform::ParkerOutcome;

// Whether it was moved to a lock, and is in its hook: it takes the lock when that is over (I7).
bool takes_it_later(const Waiter& waiter) noexcept {
  return waiter.moved && waiter.away && waiter.kind->owner != nullptr;
}

// A forked child has one thread, so nobody waits in it; what the others left in the queues lies on stacks that are
// about to be reused. But the forking thread itself may wait, if it forks in a hook: such waits go on in the child
// (I5). The table is locked meanwhile, so that each of them is either queued or chosen, and nothing in between.
void prepare_to_fork() noexcept {
  if (backend::per_thread().asking != nullptr) parking::lock_table();
}
void after_fork_in_parent() noexcept {
  if (backend::per_thread().asking != nullptr) parking::unlock_table();
}
void after_fork_in_child() noexcept {
  parking::reset_table_after_fork();
  for (Waiter* waiter = backend::per_thread().asking; waiter != nullptr; waiter = waiter->outer) {
    // relaxed: one thread is left.
    const void* const key = waiter->key.load(std::memory_order_relaxed);
    if (waiter->queued && !takes_it_later(*waiter)) {
      parking::bucket_of(key).push_back(*waiter, key);
    } else {
      waiter->queued = false;
      waiter->orphaned = true;
    }
  }
}
[[maybe_unused]] const bool forks_are_handled =
    (platform::on_fork(platform::ForkRoom::parking,
                       {.prepare = &prepare_to_fork, .parent = &after_fork_in_parent, .child = &after_fork_in_child}),
     true);

QueueView view_of(const Bucket& bucket, const Waiter* first) noexcept {
  if (first == nullptr) return {0, 0, 0, nullptr, bucket.handed_over};
  // relaxed: `coming` is on its owner's stack while it is in the bucket (I6), and its key does not change any more.
  const bool one_is_coming = bucket.coming != nullptr && bucket.coming->key.load(std::memory_order_relaxed) ==
                                                             first->key.load(std::memory_order_relaxed);
  return {first->size, first->thread, first->queued_since, first->kind, bucket.handed_over, one_is_coming};
}

// Wakes a list that has been removed from its queue. A waiter is gone once it is woken: read its link first.
void wake(Waiter* waiter) noexcept {
  while (waiter != nullptr) {
    Waiter* const next = waiter->next;
    waiter->parker.unpark();
    waiter = next;
  }
}

// Removes the first `count` and gives each the token. Requires: 1 <= count <= first.size.
void take_front(Bucket& bucket, Waiter& first, std::size_t count, std::uintptr_t token) noexcept {
  bucket.remove_front(first, count);
  for (Waiter* waiter = &first; waiter != nullptr; waiter = waiter->next) waiter->token = token;
  bucket.spin_history.note_wake(first.cpu, count);
}

// Takes those that look for themselves after their hooks (I7) from the front of the queue that begins with `first`: a
// list for wake(). Returns: null for none.
Waiter* take_away(Bucket& bucket, Waiter* first) noexcept {
  std::size_t count = 0;
  for (const Waiter* waiter = first; waiter != nullptr && takes_it_later(*waiter); waiter = waiter->next) ++count;
  if (count == 0) return nullptr;
  take_front(bucket, *first, count, 0);
  return first;
}

// Joins the queue. Returns: `woken` if the thread is queued; `changed`; `interrupted` if it joined and left at once.
ParkOutcome join(Waiter& waiter, detail::ValidateRef validate, bool at_front) noexcept {
  const void* const key = waiter.home;
  const LockedBucket bucket(key);
  if (!validate()) return ParkOutcome::changed;
  if (waiter.stop_requested) {
    // validate() has counted this thread in already.
    waiter.leave(bucket->find(key) != nullptr, LeaveReason::stop);
    return ParkOutcome::interrupted;
  }
  at_front ? bucket->push_front(waiter, key) : bucket->push_back(waiter, key);
  waiter.ahead = at_front ? 0 : bucket->find(key)->size - 1;
  return ParkOutcome::woken;
}

// The owner's parker returned without a wake. Returns: true if the waiter has left; false if a wake is to come.
bool leave(Waiter& waiter, LeaveReason reason) noexcept {
  const LockedBucket bucket(waiter);
  if (!waiter.queued || waiter.moved) return false;
  bucket->remove(waiter);
  waiter.leave(bucket->find(waiter.home) != nullptr, reason);
  return true;
}

// By one that was woken alone, before its caller looks at what it was woken for (I6).
void has_come(Waiter& waiter) noexcept {
  const LockedBucket bucket(waiter);
  if (bucket->coming == &waiter) bucket->coming = nullptr;
}

// Runs on the thread that requests the stop, or on the owner if stop was requested before.
void stop(Waiter& waiter) noexcept {
  {
    const LockedBucket bucket(waiter);
    waiter.stop_requested = true;
    if (!waiter.queued || waiter.moved) return;
    bucket->remove(waiter);
    waiter.stopped = true;
    waiter.leave(bucket->find(waiter.home) != nullptr, LeaveReason::stop);
  }
  waiter.parker.unpark();
}

// A signal that was handled between a runtime's last look and the moment this thread fell asleep interrupts nothing. So
// a thread with a hook looks up again after a short while, less and less often. Nanoseconds.
constexpr std::int64_t kFirstLook = 20'000'000;
constexpr std::int64_t kLastLook = 1'000'000'000;

// Returns: false if the waiter has been chosen, and is not away.
[[nodiscard]] bool set_away(Waiter& waiter, bool away) noexcept {
  const LockedBucket bucket(waiter);
  waiter.away = away && waiter.queued;
  return waiter.queued;
}

// Returns: whether the wait goes on, be it only until a wake that is on its way.
bool ask(Waiter& waiter, const SignalHook& hook) noexcept {
  if (!set_away(waiter, true)) return true;
  detail::PerThread& self = backend::per_thread();
  waiter.outer = self.asking;
  self.asking = &waiter;
  const bool stays = hook.stays(hook.context);
  self.asking = waiter.outer;
  static_cast<void>(set_away(waiter, false));
  return stays;
}

// Sleeps; asks the hook after each interruption, and now and then.
ParkerOutcome park_with_hook(Waiter& waiter, const ParkOptions& options) noexcept {
  for (std::int64_t look = kFirstLook;; look = std::min(2 * look, kLastLook)) {
    const Deadline next_look = Deadline::after(look);
    const bool is_last = options.deadline.nanoseconds() <= next_look.nanoseconds();
    const ParkerOutcome outcome = waiter.parker.park(is_last ? options.deadline : next_look, options.interruptible);
    if (outcome == ParkerOutcome::woken || (is_last && outcome == ParkerOutcome::timed_out)) return outcome;
    const bool stays = ask(waiter, options.on_signal);
    if (waiter.orphaned) return ParkerOutcome::woken;
    if (!stays) return ParkerOutcome::interrupted;
  }
}

ParkResult sleep(Waiter& waiter, const ParkOptions& options) noexcept {
  auto outcome = ParkerOutcome::woken;
  const auto is_woken = [&]() noexcept { return waiter.parker.is_woken(); };
  const bool may_spin = options.deadline != Deadline::passed();
  // It looks first: whoever was woken before it came here, as a joiner is by itself, offers nobody its processor.
  if (!is_woken() &&
      !(may_spin && parking::spin_history(waiter.home).linger(is_woken, options.deadline, waiter.ahead))) {
    outcome = options.on_signal.stays != nullptr ? park_with_hook(waiter, options)
                                                 : waiter.parker.park(options.deadline, options.interruptible);
  }
  if (outcome != ParkerOutcome::woken) {
    const bool signal = outcome == ParkerOutcome::interrupted;
    if (leave(waiter, signal ? LeaveReason::signal : LeaveReason::timeout)) {
      return {signal ? ParkOutcome::interrupted : ParkOutcome::timed_out};
    }
    static_cast<void>(waiter.parker.park(Deadline::never(), false));
  }
  if (waiter.stopped) return {ParkOutcome::interrupted};
  if (waiter.comes_alone) has_come(waiter);
  return {ParkOutcome::woken, waiter.token};
}

ParkResult park_waiter(Waiter& waiter, detail::ValidateRef validate, detail::BeforeSleepRef before_sleep,
                       const ParkOptions& options) noexcept {
  const ParkOutcome joined = join(waiter, validate, options.at_front);
  if (joined == ParkOutcome::changed) return {joined};
  // Also when stop was requested before: whoever gets another outcome than `changed` has released what it holds.
  before_sleep();
  return joined == ParkOutcome::woken ? sleep(waiter, options) : ParkResult{joined};
}

}  // namespace

ParkResult park(const void* key, const WaitKind& kind, detail::ValidateRef validate,
                detail::BeforeSleepRef before_sleep, detail::LeaveRef on_leave, const ParkOptions& options) {
  base::call(base::hooks.before_block);
  base::call(base::hooks.block_begins, kind);

  Waiter waiter(key, kind, on_leave);
  waiter.parker.prepare();
  waiter.thread = detail::thread_token();
  waiter.cpu = backend::current_cpu();
  waiter.since = options.since != 0 ? options.since : backend::monotonic_now();
  waiter.queued_since = waiter.since;
  waiter.deadline = options.deadline;
  ParkResult result{ParkOutcome::changed};
  if (options.stop != nullptr && options.stop->stop_possible()) {
    // The callback's destructor waits for a stop() that is running elsewhere, so the waiter outlives it.
    const auto request = [&waiter]() noexcept { stop(waiter); };
    const backend::stop_callback<decltype(request)> on_stop(*options.stop, request);
    result = park_waiter(waiter, validate, before_sleep, options);
  } else {
    result = park_waiter(waiter, validate, before_sleep, options);
  }

  base::call(base::hooks.block_ends, kind);
  return result;
}

std::size_t unpark(const void* key, detail::UnparkRef decide) noexcept {
  Waiter* away = nullptr;
  Waiter* woken = nullptr;
  std::size_t count = 0;
  {
    const LockedBucket bucket(key);
    Waiter* first = bucket->find(key);
    away = take_away(*bucket.operator->(), first);
    if (away != nullptr) first = bucket->find(key);
    const UnparkDecision decision = decide(view_of(*bucket.operator->(), first));
    if (decision.hands_over) bucket->handed_over = backend::monotonic_now();
    if (decision.alone && first != nullptr) {
      first->comes_alone = true;
      bucket->coming = first;
    }
    count = first == nullptr ? 0 : std::min(decision.count, first->size);
    if (count != 0) {
      take_front(*bucket.operator->(), *first, count, decision.token);
      woken = first;
    }
  }
  wake(away);
  wake(woken);
  return count;
}

std::size_t requeue(const void* from, const void* to, const WaitKind& to_kind, detail::RequeueRef decide) noexcept {
  Waiter* woken = nullptr;
  std::size_t wake_count = 0;
  std::size_t move_count = 0;
  {
    const LockedBuckets buckets(from, to);
    Waiter* first = buckets.first().find(from);
    const RequeueDecision decision = decide(view_of(buckets.first(), first));
    if (first == nullptr) return 0;
    const std::size_t size = first->size;
    wake_count = std::min(decision.wake, size);
    move_count = std::min(decision.move, size - wake_count);
    if (wake_count != 0) {
      const Waiter* last = first;
      for (std::size_t left = wake_count; left != 1; --left) last = last->next;
      for (; last->away && move_count != 0; last = last->next) {
        ++wake_count;
        --move_count;
      }
      take_front(buckets.first(), *first, wake_count, decision.token);
      woken = first;
      first = buckets.first().find(from);
    }
    if (move_count != 0) {
      const std::int64_t now = backend::monotonic_now();
      buckets.first().remove_front(*first, move_count);
      buckets.first().spin_history.note_wake(first->cpu, move_count);
      for (Waiter* waiter = first; waiter != nullptr;) {
        Waiter* const next = waiter->next;
        waiter->kind = &to_kind;
        waiter->moved = true;
        waiter->queued_since = now;
        buckets.second().push_back(*waiter, to);
        waiter = next;
      }
    }
  }
  wake(woken);
  return wake_count + move_count;
}

}  // namespace threading::inline v1
