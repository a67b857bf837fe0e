// SPDX-License-Identifier: MIT
//
// A rival is a struct that names what a library offers, each type cut down to one shape:
//
//   kName                                            what the tables call it
//   Lock        lock(), unlock(), try_lock()
//   TimedLock   lock(), unlock(), bool lock_within(seconds)
//   RLock       lock(), unlock()
//   Condition   over a Lock&: wait(), notify_one(), notify_all()
//   Event       set(), clear(), is_set(), wait()
//   Semaphore   from a count: acquire(), release()
//   Barrier     from a number of threads: wait()
//   Thread      from a callable, which it runs at once: join()
//   Local       value(): this thread's long&
//   Timers      see rows/timers.hpp
//
// Whatever a rival does not offer it leaves out, and the rows about it skip the rival. Each rival is one source file:
// its libraries are optional when the program is built.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include "rows/barrier.hpp"
#include "rows/conditions.hpp"
#include "rows/contended.hpp"
#include "rows/events.hpp"
#include "rows/locals.hpp"
#include "rows/queue.hpp"
#include "rows/semaphores.hpp"
#include "rows/threads.hpp"
#include "rows/timers.hpp"
#include "rows/uncontended.hpp"

namespace bench {

struct Size {
  std::string type;
  std::string rival;
  std::size_t bytes;
};
std::vector<Size>& sizes();
void print_sizes();

template <class T>
void add_size(const char* type, const char* rival) {
  sizes().push_back({type, rival, sizeof(T)});
}

template <class R>
void add_sizes() {
  if constexpr (requires { typename R::Lock; }) add_size<typename R::Lock>("Lock", R::kName);
  if constexpr (requires { typename R::RLock; }) add_size<typename R::RLock>("RLock", R::kName);
  if constexpr (requires { typename R::SizedCondition; }) {
    add_size<typename R::SizedCondition>("Condition", R::kName);
  } else if constexpr (requires { typename R::Condition; }) {
    add_size<typename R::Condition>("Condition", R::kName);
  }
  if constexpr (requires { typename R::Event; }) add_size<typename R::Event>("Event", R::kName);
  if constexpr (requires { typename R::Semaphore; }) add_size<typename R::Semaphore>("Semaphore", R::kName);
  if constexpr (requires { typename R::Barrier; }) add_size<typename R::Barrier>("Barrier", R::kName);
}

template <class R>
void add_rows() {
  add_uncontended_rows<R>();
  add_contended_rows<R>();
  add_condition_rows<R>();
  add_event_rows<R>();
  add_semaphore_rows<R>();
  add_queue_rows<R>();
  add_barrier_rows<R>();
  add_thread_rows<R>();
  add_local_rows<R>();
  add_timer_rows<R>();
}

template <class R>
void add_rival() {
  add_rows<R>();
  add_sizes<R>();
}

// An event made of a lock and a condition, as users of a library without events write it.
template <class Lock, class Condition>
class ComposedEvent {
 public:
  void set() {
    lock_.lock();
    set_ = true;
    condition_.notify_all();
    lock_.unlock();
  }
  void clear() {
    lock_.lock();
    set_ = false;
    lock_.unlock();
  }
  bool is_set() {
    lock_.lock();
    const bool result = set_;
    lock_.unlock();
    return result;
  }
  void wait() {
    lock_.lock();
    while (!set_) condition_.wait();
    lock_.unlock();
  }

 private:
  Lock lock_;
  Condition condition_{lock_};
  bool set_ = false;
};

template <class Lock, class Condition>
class ComposedSemaphore {
 public:
  explicit ComposedSemaphore(long count) : count_(count) {}
  void acquire() {
    lock_.lock();
    while (count_ == 0) condition_.wait();
    --count_;
    lock_.unlock();
  }
  void release() {
    lock_.lock();
    ++count_;
    condition_.notify_one();
    lock_.unlock();
  }

 private:
  Lock lock_;
  Condition condition_{lock_};
  long count_;
};

void add_all_rivals();

void add_ours();
void add_std();
void add_pthread();
void add_limits();
void add_designs();
void add_bare_threads();
void add_bare_timers();
void add_boost();
void add_asio();
void add_abseil();
void add_nsync();
void add_tbb();
void add_qt();
void add_poco();
void add_scale();

}  // namespace bench
