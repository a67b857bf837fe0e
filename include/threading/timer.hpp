// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>
#include <utility>

#include <threading/detail/thread_body.hpp>
#include <threading/thread.hpp>
#include <threading/timeout.hpp>

namespace threading::inline v1 {

namespace detail {
// Throws: as new_thread().
THREADING_API NewThread new_timer(ThreadOptions&& options, Timeout interval, const BodyPlan& plan);
THREADING_API void cancel_timer(ThreadState& state) noexcept;
}  // namespace detail

// Python's threading.Timer: a Thread that waits for an interval and then calls a function.
//
// While it waits it is a thread in every respect but one: started, alive, named, with an ident, in enumerate(), waited
// for at exit unless it is a daemon, joinable, yet no OS thread belongs to it. A million of them wait on one sleeping
// OS thread. The function runs on an OS thread where get_ident() is ident() and current_thread() is this Timer; a
// function that takes long delays no other Timer. The values of threading::local end with the function; C++
// thread_local objects belong to the OS thread, which may run other Timers' functions before and after.
//
// The interval counts from start(). `forever` waits until cancel(); a time that has passed fires at once. Never early.
//
//   Timer t(30.0, hello);  t.start();  // after 30 seconds, hello() is called
class THREADING_API Timer : public Thread {
 public:
  // As Thread(target, args...). Throws: what making the Timeout and what Thread's constructor throws.
  template <class F, class... Args>
  Timer(Timeout interval, F&& function, Args&&... args)
      : Timer(Options(), interval, std::forward<F>(function), std::forward<Args>(args)...) {}
  template <class F, class... Args>
  Timer(Options options, Timeout interval, F&& function, Args&&... args)
      : Thread(make<detail::TargetBody<std::decay_t<F>, std::decay_t<Args>...>>(
            std::move(options), interval, std::forward<F>(function), std::forward<Args>(args)...)) {}

  // Stops the Timer if it still waits; it is not alive any more then, and its function is destroyed. Before start():
  // the Timer will end as soon as it is started. Once the function runs, or has run: does nothing. May be called from
  // any thread at any time, from the function itself too.
  void cancel() const { detail::cancel_timer(*handle()); }

 private:
  template <class B, class... Args>
  static detail::ThreadHandle make(Options&& options, Timeout interval, Args&&... args) {
    return detail::with_body<B>(detail::new_timer(std::move(options), interval, B::plan()),
                                std::forward<Args>(args)...);
  }
};

}  // namespace threading::inline v1
