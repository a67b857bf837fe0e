// SPDX-License-Identifier: MIT
//
// Cost curves: the same question for growing numbers of waiters and objects. Options::count is the number.
//
//   scale_notify          one condition, `count` waiters: one notify() and one wait() of the thread it wakes
//   scale_notify_all      one condition, `count` waiters: notify_all() until the last is back, per waiter
//   scale_unlock          one lock, `count` queued threads: one release and the acquisition that follows
//   scale_timeout         one event, `count` waiters: another one whose wait ends at once
//   scale_waiting_objects `count` events with a waiter each: one set() and the wait that follows
//   scale_waiting_timeout the same events: another wait at one of them, in turn, which ends at once
//   scale_waiting_locks   `count` held locks with a waiter each: one is released, had, and answered for
//   scale_waiting_pair    the same locks: others beside them, which are free, are taken and released in turn
//   scale_waiting_notify  `count` conditions with a waiter each: one is notified, and answers
//   scale_objects         `count` locks in turn, each free: a pair, and what a lock takes in memory
//   scale_threads         `count` live Threads: enumerate(), for each; and what a thread takes in memory
//   scale_dump            the same, dump() instead
#include <functional>
#include <sstream>
#include <thread>
#include <vector>

#include <threading/condition.hpp>
#include <threading/dump.hpp>
#include <threading/embedding.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/thread.hpp>

#include "rivals.hpp"

namespace bench {
namespace {

constexpr const char* kName = "threading++";

std::size_t count_of(const Options& options) { return options.count != 0 ? options.count : 1; }

Result scale_notify(const Options& options) {
  const std::size_t count = count_of(options);
  threading::Lock lock;
  threading::Condition condition(lock);
  threading::Semaphore done(0);
  bool stop = false;
  Team team(options, count, [&](std::size_t) {
    lock.acquire();
    while (!stop) {
      condition.wait();
      done.release();
    }
    lock.release();
  });
  team.go();
  while (threading::Embedding::waiters(condition) != count) std::this_thread::yield();
  const Result result = time_rounds(options, [&] {
    lock.acquire();
    condition.notify();
    lock.release();
    done.acquire();
  });
  lock.acquire();
  stop = true;
  condition.notify_all();
  lock.release();
  team.join();
  return result;
}

Result scale_notify_all(const Options& options) {
  const std::size_t count = count_of(options);
  threading::Lock lock;
  threading::Condition go(lock);
  threading::Condition all_waiting(lock);
  std::size_t waiting = 0;
  std::uint64_t generation = 0;
  bool stop = false;
  Team team(options, count, [&](std::size_t) {
    lock.acquire();
    while (!stop) {
      const std::uint64_t seen = generation;
      if (++waiting == count) all_waiting.notify();
      while (generation == seen) go.wait();
    }
    lock.release();
  });
  team.go();
  const auto round = [&](bool last) {
    lock.acquire();
    while (waiting != count) all_waiting.wait();
    waiting = 0;
    ++generation;
    stop = last;
    go.notify_all();
    lock.release();
  };
  round(false);
  const double switches_before = context_switches();
  const std::int64_t start = now();
  std::int64_t rounds = 0;
  do {
    round(false);
    ++rounds;
  } while (now() - start < options.duration);
  const double woken = static_cast<double>(rounds) * static_cast<double>(count);
  const Result result{.ns = static_cast<double>(now() - start) / woken,
                      .switches = (context_switches() - switches_before) / woken};
  round(true);
  team.join();
  return result;
}

Result scale_unlock(const Options& options) {
  const std::size_t count = count_of(options);
  threading::Lock lock;
  std::atomic<bool> stop{false};
  std::atomic<std::size_t> started{0};
  std::atomic<std::uint64_t> taken{0};
  lock.acquire();
  Team team(options, count, [&](std::size_t) {
    started.fetch_add(1);
    while (!stop.load(std::memory_order_relaxed)) {
      lock.acquire();
      taken.fetch_add(1, std::memory_order_relaxed);
      lock.release();
    }
  });
  team.go();
  while (started.load() != count) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // not to reach a state: to begin with a full queue
  lock.release();
  const double switches_before = context_switches();  // which takes a while with thousands of threads
  const std::uint64_t taken_before = taken.load();
  const std::int64_t start = now();
  while (now() - start < options.duration) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const double ops = std::max(1.0, static_cast<double>(taken.load() - taken_before));
  const Result result{.ns = static_cast<double>(now() - start) / ops,
                      .switches = (context_switches() - switches_before) / ops};
  stop.store(true);
  team.join();
  return result;
}

Result scale_timeout(const Options& options) {
  const std::size_t count = count_of(options);
  threading::Event event;
  Team team(options, count, [&](std::size_t) { event.wait(); });
  team.go();
  while (threading::Embedding::waiters(event) != count) std::this_thread::yield();
  const Result result = time_rounds(options, [&] { keep(event.wait(std::chrono::nanoseconds(1))); });
  event.set();
  team.join();
  return result;
}

Result scale_waiting_objects(const Options& options) {
  const std::size_t count = count_of(options);
  std::vector<threading::Event> go(count);
  threading::Event done;
  std::atomic<bool> stop{false};
  Team team(options, count, [&](std::size_t i) {
    for (;;) {
      go[i].wait();
      go[i].clear();
      if (stop.load()) return;
      done.set();
    }
  });
  team.go();
  for (const threading::Event& event : go) {
    while (threading::Embedding::waiters(event) != 1) std::this_thread::yield();
  }
  std::size_t next = 0;
  const Result result = time_rounds(options, [&] {
    go[next].set();
    next = (next + 1) % count;
    done.wait();
    done.clear();
  });
  stop.store(true);
  for (threading::Event& event : go) event.set();
  team.join();
  return result;
}

Result scale_waiting_timeout(const Options& options) {
  const std::size_t count = count_of(options);
  std::vector<threading::Event> events(count);
  Team team(options, count, [&](std::size_t i) { events[i].wait(); });
  team.go();
  for (const threading::Event& event : events) {
    while (threading::Embedding::waiters(event) != 1) std::this_thread::yield();
  }
  std::size_t next = 0;
  const Result result = time_rounds(options, [&] {
    keep(events[next].wait(std::chrono::nanoseconds(1)));
    next = (next + 1) % count;
  });
  for (threading::Event& event : events) event.set();
  team.join();
  return result;
}

// `count` locks, each held, and for each a thread that waits for it. It answers each time that it gets its lock, and
// waits again, since nobody but pass_to() releases one.
class WaitedFor {
 public:
  WaitedFor(const Options& options, std::size_t count)
      : locks_(count), team_(options, count, [this](std::size_t i) { wait_for(locks_[i]); }) {
    for (threading::Lock& lock : locks_) lock.acquire();
    answered_.acquire();
    team_.go();
    for (std::size_t i = 0; i != count; ++i) pass_to(i);  // nothing else tells that all have come
  }
  ~WaitedFor() {
    stop_.store(true);
    for (threading::Lock& lock : locks_) lock.release();
    team_.join();
  }
  WaitedFor(const WaitedFor&) = delete;
  WaitedFor& operator=(const WaitedFor&) = delete;
  void pass_to(std::size_t i) {
    locks_[i].release();
    answered_.acquire();
  }

 private:
  void wait_for(threading::Lock& lock) {
    for (;;) {
      lock.acquire();
      if (stop_.load()) return;
      answered_.release();
    }
  }

  std::vector<threading::Lock> locks_;
  threading::Lock answered_;
  std::atomic<bool> stop_{false};
  Team team_;
};

Result scale_waiting_locks(const Options& options) {
  constexpr std::size_t kStride = 7919;  // a prime: not the order in which they went to sleep
  const std::size_t count = count_of(options);
  WaitedFor locks(options, count);
  std::size_t next = 0;
  return time_rounds(options, [&] {
    locks.pass_to(next);
    next = (next + kStride) % count;
  });
}

Result scale_waiting_pair(const Options& options) {
  WaitedFor others(options, count_of(options));
  std::vector<threading::Lock> locks(4096);  // more than there are buckets
  std::size_t next = 0;
  return time_each(options, [&] {
    locks[next].acquire();
    locks[next].release();
    next = (next + 1) % 4096;
  });
}

Result scale_waiting_notify(const Options& options) {
  struct Place {
    threading::Lock lock;
    threading::Condition condition{lock};
  };
  const std::size_t count = count_of(options);
  std::vector<Place> places(count);
  threading::Semaphore done(0);
  std::atomic<bool> stop{false};
  Team team(options, count, [&](std::size_t i) {
    places[i].lock.acquire();
    while (!stop.load()) {
      places[i].condition.wait();
      done.release();
    }
    places[i].lock.release();
  });
  const auto notify = [](Place& place) {
    place.lock.acquire();
    place.condition.notify();
    place.lock.release();
  };
  team.go();
  for (const Place& place : places) {
    while (threading::Embedding::waiters(place.condition) != 1) std::this_thread::yield();
  }
  std::size_t next = 0;
  const Result result = time_rounds(options, [&] {
    notify(places[next]);
    done.acquire();
    next = (next + 1) % count;
  });
  stop.store(true);
  for (Place& place : places) notify(place);
  team.join();
  return result;
}

Result scale_objects(const Options& options) {
  const std::size_t count = count_of(options);
  const double before = resident_bytes();
  std::vector<threading::Lock> locks(count);
  for (threading::Lock& lock : locks) lock.acquire();
  for (threading::Lock& lock : locks) lock.release();
  const double bytes = std::max(0.0, resident_bytes() - before) / static_cast<double>(count);
  std::size_t next = 0;
  Result result = time_each(options, [&] {
    locks[next].acquire();
    locks[next].release();
    if (++next == count) next = 0;
  });
  result.bytes = bytes;
  return result;
}

// Asks something about `count` Threads that all wait. Returns: nanoseconds a thread, and the memory of one.
Result ask_about_threads(const Options& options, const std::function<void()>& ask) {
  const std::size_t count = count_of(options);
  const double before = resident_bytes();
  threading::Event end;
  std::vector<threading::Thread> threads;
  for (std::size_t i = 0; i != count; ++i) threads.push_back(threading::spawn([&end] { end.wait(); }));
  while (threading::Embedding::waiters(end) != count) std::this_thread::yield();
  const double bytes = (resident_bytes() - before) / static_cast<double>(count);
  Result result = time_each(options, ask);
  result.ns /= static_cast<double>(count);
  result.bytes = bytes;
  end.set();
  for (threading::Thread& thread : threads) thread.join();
  return result;
}

Result scale_threads(const Options& options) {
  return ask_about_threads(options, [] { keep(threading::enumerate().size()); });
}

Result scale_dump(const Options& options) {
  return ask_about_threads(options, [] {
    std::ostringstream out;
    threading::dump(out);
    keep(out.tellp());
  });
}

}  // namespace

void add_scale() {
  add("scale_notify", kName, scale_notify);
  add("scale_notify_all", kName, scale_notify_all);
  add("scale_unlock", kName, scale_unlock);
  add("scale_timeout", kName, scale_timeout);
  add("scale_waiting_objects", kName, scale_waiting_objects);
  add("scale_waiting_timeout", kName, scale_waiting_timeout);
  add("scale_waiting_locks", kName, scale_waiting_locks);
  add("scale_waiting_pair", kName, scale_waiting_pair);
  add("scale_waiting_notify", kName, scale_waiting_notify);
  add("scale_objects", kName, scale_objects);
  add("scale_threads", kName, scale_threads);
  add("scale_dump", kName, scale_dump);
}

}  // namespace bench
