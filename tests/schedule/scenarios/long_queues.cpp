// SPDX-License-Identifier: MIT
//
// The long queue of a lock, of which one is woken at a time: a release wakes nobody while another is still coming. A
// queue of one is long here. Whoever is left asleep beside a free lock ends in a deadlock, which the lab reports.
#include <threading/condition.hpp>
#include <threading/lock.hpp>
#include <threading/with.hpp>

#include <schedule/platform.hpp>

#include "support.hpp"

namespace {

using namespace scenarios;
using threading::Lock;

void pass(Lock& lock) {
  lock.acquire();
  lock.release();
}

// The holder takes the lock again before whom it has woken, and releases it a second time.
LAB_SCENARIO(long_queue_one_comes, "who was not woken is woken by the one that comes",
             {.bound = 2, .weak_bound = 1, .faults = {.clock_jumps = 1}, .many_queued = 1}) {
  auto* lock = lab::make<Lock>("lock");
  lock->acquire();
  lab::together({{"a", [&] { pass(*lock); }}, {"b", [&] { pass(*lock); }}, {"holder", [&] {
                                                                              until_queued(lock, 2);
                                                                              lock->release();
                                                                              if (lock->try_lock()) lock->release();
                                                                            }}});
  lab::check(!lock->locked(), "free at the end");
  lab::destroy(lock);
}

// The two that come push each other out of the bucket, and neither looks at the other's lock.
LAB_SCENARIO(long_queues_of_neighbours, "one that comes for another lock of the bucket is none",
             {.bound = 2, .weak_bound = 1, .many_queued = 1}) {
  auto* const locks = lab::make<Neighbours<Lock>>("locks");
  Lock& one = locks->one();
  Lock* const other = locks->other();
  one.acquire();
  other->acquire();
  lab::together({{"a", [&] { pass(one); }}, {"b", [&] { pass(*other); }}, {"holder", [&] {
                                                                             until_queued(&one);
                                                                             until_queued(other);
                                                                             one.release();
                                                                             other->release();
                                                                             pass(one);
                                                                             pass(*other);
                                                                           }}});
  lab::check(!one.locked() && !other->locked(), "free at the end");
}

// Those that were notified are woken by the lock's releases, and take it without queuing.
LAB_SCENARIO(long_queue_of_notified, "who was moved and woken alone takes itself out",
             {.bound = 2, .weak_bound = 1, .many_queued = 1}) {
  struct Shared {
    Lock lock;
    threading::Condition condition{lock};
  };
  auto* shared = lab::make<Shared>("shared");
  bool ready = false;
  const auto wait = [&] {
    threading::With hold(shared->condition);
    while (!ready) shared->condition.wait();
  };
  lab::together({{"a", wait}, {"b", wait}, {"notifier", [&] {
                                              {
                                                threading::With hold(shared->condition);
                                                ready = true;
                                                shared->condition.notify_all();
                                              }
                                              pass(shared->lock);
                                            }}});
  lab::destroy(shared);
}

// The child must not take one for coming that is not there.
LAB_SCENARIO(long_queue_in_a_child, "nobody is coming in a child", {.bound = 2, .weak_bound = 1, .many_queued = 1}) {
  auto* lock = lab::make<Lock>("lock");
  lock->acquire();
  lab::together({{"a", [lock] { pass(*lock); }}, {"forker", [lock] {
                                                    until_queued(lock);
                                                    lock->release();
                                                    if (!lab::fork_here()) return;
                                                    const Atomic<std::uint32_t> word{0};
                                                    bool one_is_coming = true;
                                                    static_cast<void>(threading::park(
                                                        lock, kKind, []() noexcept { return true; },
                                                        [&]() noexcept {
                                                          one_is_coming = view_of(lock).one_is_coming;
                                                          threading::unpark_one(lock);
                                                        },
                                                        [](bool, LeaveReason) noexcept {}));
                                                    lab::check(!one_is_coming, "nobody is coming");
                                                  }}});
}

}  // namespace
