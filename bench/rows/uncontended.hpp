// SPDX-License-Identifier: MIT
//
// What a lock costs when nobody else wants it.
#pragma once

#include "../harness.hpp"

namespace bench {

template <class R>
void add_uncontended_rows() {
  if constexpr (requires { typename R::Lock; }) {
    add("lock_pair", R::kName, [](const Options& options) {
      typename R::Lock lock;
      return time_each(options, [&] {
        lock.lock();
        lock.unlock();
      });
    });
    add("try_held", R::kName, [](const Options& options) {
      typename R::Lock lock;
      lock.lock();
      const Result result = time_each(options, [&] { keep(lock.try_lock()); });
      lock.unlock();
      return result;
    });
  }
  if constexpr (requires { typename R::TimedLock; }) {
    add("lock_timed", R::kName, [](const Options& options) {
      typename R::TimedLock lock;
      return time_each(options, [&] {
        keep(lock.lock_within(1.0));
        lock.unlock();
      });
    });
  }
  if constexpr (requires { typename R::RLock; }) {
    add("rlock_pair", R::kName, [](const Options& options) {
      typename R::RLock lock;
      return time_each(options, [&] {
        lock.lock();
        lock.unlock();
      });
    });
    add("rlock_reentry", R::kName, [](const Options& options) {
      typename R::RLock lock;
      lock.lock();
      const Result result = time_each(options, [&] {
        lock.lock();
        lock.unlock();
      });
      lock.unlock();
      return result;
    });
  }
}

}  // namespace bench
