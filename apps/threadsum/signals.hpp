// SPDX-License-Identifier: MIT
//
// Ctrl-C as an Event.
#pragma once

#include <csignal>
#include <stop_token>

#include <threading/event.hpp>
#include <threading/thread.hpp>

namespace threadsum {

// Turns the first SIGINT, SIGTERM or SIGHUP into `interrupted.set()`.
//
// No signal handler: the signals are blocked in every thread, and a thread of
// its own takes them with sigwait(), where it may use locks like any other code.
// After the first signal they are let through again, so that a second Ctrl-C
// ends a process that does not end by itself. A signal that is ignored (nohup,
// a background job) stays ignored.
//
// Construct it before any other thread is started: threads inherit the mask. The
// mask stays when it is destroyed, which is meant to happen at the end of main.
class Signals {
 public:
  explicit Signals(threading::Event& interrupted);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // The signal that set the event. Call it only once the event is set.
  int received() const { return received_; }

 private:
  void listen(const std::stop_token& stop);

  threading::Event& interrupted_;
  sigset_t heard_{};
  int received_ = 0;  // written before the event is set, read after
  threading::Thread listener_;
};

}  // namespace threadsum
