// SPDX-License-Identifier: MIT
//
// Fuzz target: three threads at once on the same few objects, each with a program of its own. No order is expected,
// only what must hold in every order. Every wait is bounded, so that every program ends.
#include <array>
#include <vector>

#include <threading/barrier.hpp>
#include <threading/condition.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/rlock.hpp>
#include <threading/semaphore.hpp>
#include <threading/thread.hpp>

#include "fuzz/fuzz.hpp"

namespace fuzz {
namespace {

using namespace threading;

constexpr int kThreads = 3;

// What a lock protects, or else does not.
struct Guarded {
  int inside = 0;
  std::uint64_t counter = 0;
  std::atomic<std::uint64_t> entered{0};

  void enter() {
    check(++inside == 1, "two threads hold one lock");
    ++counter;
    ++entered;
  }
  void leave() { --inside; }
};

struct Shared {
  Lock lock;
  RLock rlock;
  Condition over_lock{lock};
  Condition over_rlock{rlock};
  Guarded by_lock;
  Guarded by_rlock;
  std::uint64_t tokens = 0;  // guarded by lock
  std::uint64_t put = 0;     // likewise
  std::uint64_t taken = 0;   // likewise

  Semaphore semaphore{1};
  BoundedSemaphore bounded{2};
  std::atomic<std::int64_t> released{1};
  std::atomic<std::int64_t> acquired{0};
  std::atomic<int> bounded_out{0};

  Event event;
  std::atomic<bool> event_was_set{false};

  Barrier barrier{2};
  std::stop_source source;
};

class Program {
 public:
  Program(Shared& shared, Input input) : shared_(shared), input_(input) {}

  void operator()() {
    while (input_.more()) {
      switch (input_.below(8)) {
        case 0: use_lock(); break;
        case 1: use_rlock(); break;
        case 2: put_token(); break;
        case 3: take_token(); break;
        case 4: use_semaphore(); break;
        case 5: use_bounded(); break;
        case 6: use_event(); break;
        default: use_barrier();
      }
    }
  }

 private:
  // No lock takes a negative number.
  Bound bound() { return short_bound(input_); }

  template <class L>
  bool take(L& lock) {
    switch (input_.below(5)) {
      case 0: return lock.acquire(false);
      case 1: return lock.acquire(bound().timeout);
      case 2: return lock.acquire(bound().timeout, shared_.source.get_token());
      case 3: return lock.try_lock();
      default: return lock.acquire();
    }
  }

  void use_lock() {
    if (!take(shared_.lock)) return;
    shared_.by_lock.enter();
    if (input_.flag()) std::this_thread::yield();
    shared_.by_lock.leave();
    shared_.lock.release();
  }

  void use_rlock() {
    if (!take(shared_.rlock)) return;
    const bool twice = input_.flag();
    if (twice) check(shared_.rlock.acquire(false), "the owner was refused a level");
    shared_.by_rlock.enter();
    if (input_.flag()) {
      shared_.by_rlock.leave();
      static_cast<void>(shared_.over_rlock.wait(bound().timeout));
      shared_.by_rlock.enter();
      --shared_.by_rlock.entered;
      --shared_.by_rlock.counter;
    } else {
      shared_.over_rlock.notify(input_.below(3));
    }
    shared_.by_rlock.leave();
    if (twice) shared_.rlock.release();
    shared_.rlock.release();
    check_same(outcome_of([&] { shared_.over_rlock.notify(); }), "RuntimeError: cannot notify on un-acquired lock",
               "notify");
  }

  void put_token() {
    shared_.over_lock.acquire();
    ++shared_.tokens;
    ++shared_.put;
    input_.flag() ? shared_.over_lock.notify() : shared_.over_lock.notify_all();
    shared_.over_lock.release();
  }

  void take_token() {
    shared_.over_lock.acquire();
    const auto there = [&] { return shared_.tokens > 0; };
    const bool got = input_.flag() ? shared_.over_lock.wait_for(there, bound().timeout)
                                   : shared_.over_lock.wait_for(there, bound().timeout, shared_.source.get_token());
    check(got == there(), "wait_for returns another value than the predicate's");
    if (got) {
      --shared_.tokens;
      ++shared_.taken;
    }
    shared_.over_lock.release();
  }

  void use_semaphore() {
    if (input_.flag()) {
      const std::ptrdiff_t n = 1 + static_cast<std::ptrdiff_t>(input_.below(3));
      shared_.released += n;
      shared_.semaphore.release(n);
      return;
    }
    const Bound limit = bound();
    const bool got = input_.flag() ? shared_.semaphore.acquire(limit.timeout)
                                   : shared_.semaphore.acquire(limit.timeout, shared_.source.get_token());
    if (got) ++shared_.acquired;
    check(shared_.acquired <= shared_.released, "a unit was made");
  }

  void use_bounded() {
    if (!shared_.bounded.acquire(bound().timeout)) return;
    check(++shared_.bounded_out <= 2, "more units are out than there are");
    if (input_.flag()) std::this_thread::yield();
    --shared_.bounded_out;
    shared_.bounded.release();
  }

  void use_event() {
    switch (input_.below(4)) {
      case 0:
        shared_.event_was_set = true;
        shared_.event.set();
        break;
      case 1: shared_.event.clear(); break;
      case 2: shared_.source.request_stop(); break;
      default:
        if (shared_.event.wait(bound().timeout)) check(shared_.event_was_set, "an event let go before it was set");
    }
  }

  void use_barrier() {
    switch (input_.below(8)) {
      case 0: shared_.barrier.abort(); break;
      case 1: shared_.barrier.reset(); break;
      default: {
        const std::string outcome = outcome_of([&] { return shared_.barrier.wait(bound().timeout); });
        check(outcome == "0" || outcome == "1" || outcome == "BrokenBarrierError: ", "a barrier for two");
        if (outcome.size() > 1) shared_.barrier.reset();
      }
    }
  }

  Shared& shared_;
  Input input_;
};

void check_end(Shared& shared) {
  check(!shared.lock.locked() && !shared.rlock.locked(), "a lock is held at the end");
  for (const Guarded* guarded : {&shared.by_lock, &shared.by_rlock}) {
    check(guarded->counter == guarded->entered && guarded->inside == 0, "an acquisition was lost");
  }
  check(shared.taken + shared.tokens == shared.put, "tokens were lost or made");
  check(shared.acquired + shared.semaphore.value() == shared.released, "units were lost or made");
  check(shared.bounded.value() == 2, "bounded units were lost");
  check_same(outcome_of([&] { shared.bounded.release(); }), "ValueError: Semaphore released too many times", "release");
  check(shared.barrier.n_waiting() == 0, "somebody waits at the barrier");
  // All of it still works.
  shared.barrier.reset();
  shared.event.clear();
  check(!shared.event.wait(no_wait), "a cleared event lets go");
  check(shared.lock.acquire(no_wait), "a free lock was not taken");
  shared.over_lock.notify_all();
  shared.lock.release();
}

}  // namespace

void run(Input& input) {
  Shared shared;
  const std::size_t share = input.left() / kThreads;
  std::vector<Thread> threads;
  for (int i = 1; i < kThreads; ++i) threads.push_back(spawn(Program(shared, input.part(share))));
  Program(shared, input)();
  for (const Thread& thread : threads) thread.join();
  for (const Thread& thread : threads) {
    if (thread.exception()) std::rethrow_exception(thread.exception());
  }
  check_end(shared);
}

}  // namespace fuzz
