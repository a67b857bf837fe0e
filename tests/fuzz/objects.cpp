// SPDX-License-Identifier: MIT
//
// Fuzz target: calls on every primitive, valid and not, by two threads in turn, against a sequential model. A call that
// the model says would block is made with a bound, with a token that was stopped, or so that the other thread lets it
// go.
#include <array>
#include <limits>
#include <memory>
#include <stdexcept>

#include <threading/barrier.hpp>
#include <threading/condition.hpp>
#include <threading/embedding.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/rlock.hpp>
#include <threading/semaphore.hpp>

#include "fuzz/actors.hpp"
#include "support/lot.hpp"

namespace fuzz {
namespace {

using namespace threading;

const char* in_words(bool value) { return value ? "true" : "false"; }

constexpr const char* kNegative = "ValueError: timeout value must be a non-negative number";
constexpr const char* kNotBlocking = "ValueError: can't specify a timeout for a non-blocking call";

// Waits until somebody is queued at the object, if the input wants that rather than a race.
template <class Object>
void meet(Input& input, const Object& object) {
  if (!input.flag()) return;
  while (support::waiters(object) == 0) std::this_thread::yield();
}

// Ways to acquire that a Lock and an RLock share. `would_take` and what they return is the model's.
template <class L>
class AnyLock {
 public:
  // Makes a call by which `actor` may take the lock; `free_for` says whether it is there for it. Returns: whether the
  // lock was taken.
  bool acquire(Input& input, int actor, bool free_for) {
    const Bound bound = any_bound(input);
    const bool blocking = input.flag();
    const std::string taken = in_words(free_for);
    std::string got;
    std::string expected = taken;
    switch (input.below(7)) {
      case 0:
        if (!free_for) return false;
        got = outcome_by(actor, [&] { return lock.acquire(); });
        break;
      case 1: got = outcome_by(actor, [&] { return lock.acquire(false); }); break;
      case 2: got = outcome_by(actor, [&] { return lock.try_lock(); }); break;
      case 3:
        if (blocking && !free_for && bound.long_for_lock()) return false;
        got =
            timed_outcome_by(actor, blocking ? bound : Bound(), [&] { return lock.acquire(blocking, bound.timeout); });
        if (!blocking && !bound.forever && !bound.minus_one) {
          expected = kNotBlocking;
        } else if (blocking && bound.negative_number) {
          expected = kNegative;
        }
        break;
      case 4:
        got = outcome_by(actor, [&] { return lock.acquire(bound.timeout, stopped()); });
        if (bound.negative_number) expected = kNegative;
        break;
      case 5: {
        const std::chrono::nanoseconds length(input.short_word() % 30'000);
        got = outcome_by(actor, [&] { return lock.try_lock_for(length); });
        break;
      }
      default:
        if (!free_for && bound.long_for_lock()) return false;
        got = timed_outcome_by(actor, bound, [&] { return lock.acquire(bound.timeout); });
        if (bound.negative_number) expected = kNegative;
    }
    check_same(got, expected, "acquire");
    return got == "true";
  }

  L lock;
};

class ModelLock : public AnyLock<Lock> {
 public:
  void act(Input& input, int actor) {
    switch (input.below(4)) {
      case 0:
      case 1:
        if (acquire(input, actor, !held)) held = true;
        break;
      case 2: release(actor); break;
      default: hand_over(input, actor);
    }
    check(lock.locked() == held, "locked");
  }

  void release(int actor) {
    check_same(outcome_by(actor, [&] { lock.release(); }), held ? "none" : "RuntimeError: release unlocked lock",
               "release");
    held = false;
  }

  bool held = false;

 private:
  // The other thread waits for the lock that this one lets go.
  void hand_over(Input& input, int /*actor*/) {
    if (!held) return;
    Other::instance().begin([&] { return outcome_of([&] { return lock.acquire(); }); });
    meet(input, lock);
    lock.release();
    check_same(Other::instance().result(), "true", "an acquire that was let in");
  }
};

class ModelRLock : public AnyLock<RLock> {
 public:
  bool is_owned_by(int actor) const { return depth != 0 && owner == actor; }

  void act(Input& input, int actor) {
    switch (input.below(4)) {
      case 0:
      case 1:
        if (depth < 100 && acquire(input, actor, depth == 0 || owner == actor)) {
          owner = actor;
          ++depth;
        }
        break;
      case 2: release(actor); break;
      default: hand_over(input);
    }
    check_state();
  }

  void release(int actor) {
    const bool owned = is_owned_by(actor);
    check_same(outcome_by(actor, [&] { lock.release(); }),
               owned ? "none" : "RuntimeError: cannot release un-acquired lock", "release");
    if (owned) --depth;
  }

  void check_state() const {
    check(lock.locked() == (depth != 0), "locked");
    check(Embedding::depth(lock) == depth, "depth");
    check(Embedding::is_owned(lock) == is_owned_by(0), "is_owned");
  }

  int owner = 0;
  std::uint32_t depth = 0;

 private:
  void hand_over(Input& input) {
    if (!is_owned_by(0)) return;
    Other::instance().begin([&] { return outcome_of([&] { return lock.acquire(); }); });
    meet(input, lock);
    for (; depth > 0; --depth) lock.release();
    check_same(Other::instance().result(), "true", "an acquire that was let in");
    owner = 1;
    depth = 1;
  }
};

// A condition over a lock that the model knows. M: ModelLock or ModelRLock.
template <class M>
class ModelCondition {
 public:
  explicit ModelCondition(M& model) : model_(model), cv_(model.lock) {}

  void act(Input& input, int actor) {
    switch (input.below(6)) {
      case 0: wait(input, actor); break;
      case 1: wait_for(input, actor); break;
      case 2: {
        const std::size_t n = input.below(4);
        check_same(outcome_by(actor, [&] { cv_.notify(n); }), notified(actor), "notify");
        break;
      }
      case 3: check_same(outcome_by(actor, [&] { cv_.notify_all(); }), notified(actor), "notify_all"); break;
      case 4: model_.release(actor); break;
      default: wake(input);
    }
    check(cv_.locked() == model_.lock.locked(), "locked");
  }

 private:
  bool may_use(int actor) const {
    if constexpr (std::is_same_v<M, ModelLock>) {
      return model_.held;
    } else {
      return model_.is_owned_by(actor);
    }
  }
  std::string notified(int actor) const {
    return may_use(actor) ? "none" : "RuntimeError: cannot notify on un-acquired lock";
  }
  // Nobody notifies.
  std::string waited(int actor) const {
    return may_use(actor) ? "false" : "RuntimeError: cannot wait on un-acquired lock";
  }

  void wait(Input& input, int actor) {
    const Bound bound = any_bound(input);
    if (input.flag() || (bound.long_for_others() && may_use(actor))) {
      check_same(outcome_by(actor, [&] { return cv_.wait(bound.timeout, stopped()); }), waited(actor), "wait");
    } else {
      check_same(timed_outcome_by(actor, bound, [&] { return cv_.wait(bound.timeout); }), waited(actor), "wait");
    }
  }

  void wait_for(Input& input, int actor) {
    const Bound bound = short_bound(input);
    const unsigned true_after = input.below(3);  // looks; 2 means never
    unsigned looks = 0;
    const auto predicate = [&] { return true_after < 2 && looks++ >= true_after; };
    const std::string got = timed_outcome_by(actor, bound, [&] { return cv_.wait_for(predicate, bound.timeout); });
    // The predicate is asked first, without a look at the lock, and once more after a wait.
    std::string expected = "true";
    if (true_after != 0 && !may_use(actor)) {
      expected = waited(actor);
    } else if (true_after == 2) {
      expected = "false";
    }
    check_same(got, expected, "wait_for");
  }

  // The other thread waits and this one notifies, which needs the lock free to begin with.
  void wake(Input& input) {
    if (model_.lock.locked()) return;
    std::atomic<bool> holds{false};
    Other::instance().begin([&] {
      return outcome_of([&] {
        cv_.acquire();
        holds = true;
        const bool notified = cv_.wait();
        cv_.release();
        return notified;
      });
    });
    while (!holds) std::this_thread::yield();
    cv_.acquire();  // not before the other waits
    check(support::waiters(cv_) == 1, "one thread waits");
    input.flag() ? cv_.notify() : cv_.notify_all();
    cv_.release();
    check_same(Other::instance().result(), "true", "a wait that was notified");
  }

  M& model_;
  Condition cv_;
};

template <class S>
class ModelSemaphore {
 public:
  static constexpr bool kBounded = std::is_same_v<S, BoundedSemaphore>;

  explicit ModelSemaphore(std::ptrdiff_t value) : initial_(value), value_(value), semaphore_(value) {}

  void act(Input& input, int actor) {
    switch (input.below(4)) {
      case 0:
      case 1: acquire(input, actor); break;
      case 2: release(input, actor); break;
      default: let_in(input);
    }
    check(semaphore_.value() == value_, "value");
  }

 private:
  void acquire(Input& input, int actor) {
    const Bound bound = any_bound(input);
    const bool blocking = input.flag();
    std::string expected = in_words(value_ > 0);
    std::string got;
    switch (input.below(5)) {
      case 0:
        if (value_ == 0) return;
        got = outcome_by(actor, [&] { return semaphore_.acquire(); });
        break;
      case 1: got = outcome_by(actor, [&] { return semaphore_.acquire(false); }); break;
      case 2: got = outcome_by(actor, [&] { return semaphore_.acquire(bound.timeout, stopped()); }); break;
      case 3:
        if (blocking && value_ == 0 && bound.long_for_others()) return;
        got = timed_outcome_by(actor, blocking ? bound : Bound(),
                               [&] { return semaphore_.acquire(blocking, bound.timeout); });
        if (!blocking && !bound.forever) expected = "ValueError: can't specify timeout for non-blocking acquire";
        break;
      default:
        if (value_ == 0 && bound.long_for_others()) return;
        got = timed_outcome_by(actor, bound, [&] { return semaphore_.acquire(bound.timeout); });
    }
    check_same(got, expected, "acquire");
    if (got == "true") --value_;
  }

  void release(Input& input, int actor) {
    constexpr std::ptrdiff_t kMost = std::numeric_limits<std::ptrdiff_t>::max();
    constexpr std::ptrdiff_t kLeast = std::numeric_limits<std::ptrdiff_t>::min();
    const std::array<std::ptrdiff_t, 10> counts{1, 1, 1, 2, 3, 0, -1, kMost, kMost - value_, kLeast};
    const std::ptrdiff_t n = counts[input.below(counts.size())];
    std::string expected = "none";
    if (n < 1) {
      expected = "ValueError: n must be one or more";
    } else if (kBounded && n > initial_ - value_) {
      expected = "ValueError: Semaphore released too many times";
    } else if (n > kMost - value_) {
      expected = "OverflowError: semaphore value too large";
    }
    check_same(outcome_by(actor, [&] { semaphore_.release(n); }), expected, "release");
    if (expected == "none") value_ += n;
  }

  void let_in(Input& input) {
    if (value_ != 0 || (kBounded && initial_ == 0)) return;
    Other::instance().begin([&] { return outcome_of([&] { return semaphore_.acquire(); }); });
    meet(input, semaphore_);
    semaphore_.release();
    check_same(Other::instance().result(), "true", "an acquire that was let in");
  }

  std::ptrdiff_t initial_;
  std::ptrdiff_t value_;
  S semaphore_;
};

class ModelEvent {
 public:
  void act(Input& input, int actor) {
    const Bound bound = any_bound(input);
    switch (input.below(6)) {
      case 0:
        check_same(outcome_by(actor, [&] { event_.set(); }), "none", "set");
        set_ = true;
        break;
      case 1:
        check_same(outcome_by(actor, [&] { event_.clear(); }), "none", "clear");
        set_ = false;
        break;
      case 2:
        check_same(outcome_by(actor, [&] { return event_.wait(bound.timeout, stopped()); }), in_words(set_), "wait");
        break;
      case 3: let_go(input); break;
      default:
        if (!set_ && bound.long_for_others()) return;
        check_same(timed_outcome_by(actor, bound, [&] { return event_.wait(bound.timeout); }), in_words(set_), "wait");
    }
    check(event_.is_set() == set_, "is_set");
  }

 private:
  void let_go(Input& input) {
    if (set_) return;
    Other::instance().begin([&] { return outcome_of([&] { return event_.wait(); }); });
    const bool clear_at_once = input.flag();
    while (support::waiters(event_) == 0) std::this_thread::yield();
    event_.set();
    if (clear_at_once) event_.clear();
    check_same(Other::instance().result(), "true", "a wait that was let go");
    set_ = !clear_at_once;
  }

  Event event_;
  bool set_ = false;
};

class ModelBarrier {
 public:
  explicit ModelBarrier(unsigned parties)
      : parties_(parties), barrier_(parties, [this] {
          ++actions_;
          if (action_fails_) throw std::runtime_error("the action fails");
        }) {}

  void act(Input& input, int actor) {
    action_fails_ = false;
    switch (input.below(6)) {
      case 0:
        check_same(outcome_by(actor, [&] { barrier_.reset(); }), "none", "reset");
        broken_ = false;
        break;
      case 1:
        check_same(outcome_by(actor, [&] { barrier_.abort(); }), "none", "abort");
        broken_ = true;
        break;
      case 2: together(input); break;
      default: wait(input, actor);
    }
    check(barrier_.broken() == broken_, "broken");
    check(barrier_.n_waiting() == 0 && barrier_.parties() == parties_, "n_waiting and parties");
    check(actions_ == expected_actions_, "actions");
  }

 private:
  void wait(Input& input, int actor) {
    const Bound bound = any_bound(input);
    action_fails_ = input.below(4) == 0;
    const bool passes = parties_ == 1 && !broken_;
    std::string expected = "BrokenBarrierError: ";
    if (passes) {
      expected = action_fails_ ? "exception: the action fails" : "0";
      ++expected_actions_;
      broken_ = action_fails_;
    }
    std::string got;
    if (input.flag() || (!passes && !broken_ && bound.long_for_others())) {
      got = outcome_by(actor, [&] { return barrier_.wait(bound.timeout, stopped()); });
    } else {
      got = outcome_by(actor, [&] { return barrier_.wait(bound.timeout); });
    }
    if (!passes) broken_ = true;
    check_same(got, expected, "wait");
  }

  // Both threads come: all parties of a barrier for two.
  void together(Input& input) {
    if (parties_ != 2 || broken_) return;
    action_fails_ = input.below(4) == 0;
    Other::instance().begin([&] { return outcome_of([&] { return barrier_.wait(); }); });
    meet(input, barrier_);
    const std::string mine = outcome_of([&] { return barrier_.wait(); });
    const std::string others = Other::instance().result();
    ++expected_actions_;
    broken_ = action_fails_;
    const std::string first = action_fails_ ? "BrokenBarrierError: " : "0";
    const std::string last = action_fails_ ? "exception: the action fails" : "1";
    check((mine == first && others == last) || (mine == last && others == first), "two parties");
  }

  unsigned parties_;
  bool action_fails_ = false;
  bool broken_ = false;
  int actions_ = 0;
  int expected_actions_ = 0;
  Barrier barrier_;
};

void make_bad_ones(Input& input) {
  const std::ptrdiff_t value = -1 - static_cast<std::ptrdiff_t>(input.byte());
  check_same(outcome_of([&] { const Semaphore semaphore(value); }), "ValueError: semaphore initial value must be >= 0",
             "a semaphore's value");
  check_same(outcome_of([&] { const BoundedSemaphore semaphore(value); }),
             "ValueError: semaphore initial value must be >= 0", "a semaphore's value");
  const std::size_t parties = input.flag() ? 0 : (std::size_t{1} << 28) + 1 + input.byte();
  check_same(outcome_of([&] { const Barrier barrier(parties); }), "ValueError: parties must be >= 1",
             "a barrier's parties");
}

}  // namespace

void run(Input& input) {
  ModelLock lock;
  ModelRLock rlock;
  ModelCondition over_lock(lock);
  ModelCondition over_rlock(rlock);
  ModelSemaphore<Semaphore> semaphore(input.below(4));
  ModelSemaphore<BoundedSemaphore> bounded(input.below(4));
  ModelEvent event;
  ModelBarrier alone(1);
  ModelBarrier pair(2);
  while (input.more()) {
    const unsigned what = input.below(20);
    const int actor = what >= 10 ? 1 : 0;
    switch (what % 10) {
      case 0: lock.act(input, actor); break;
      case 1: rlock.act(input, actor); break;
      case 2: over_lock.act(input, actor); break;
      case 3: over_rlock.act(input, actor); break;
      case 4: semaphore.act(input, actor); break;
      case 5: bounded.act(input, actor); break;
      case 6: event.act(input, actor); break;
      case 7: alone.act(input, actor); break;
      case 8: pair.act(input, actor); break;
      default: make_bad_ones(input);
    }
    check(lock.lock.locked() == lock.held, "the lock is as the model says");
    rlock.check_state();
  }
}

}  // namespace fuzz
