// SPDX-License-Identifier: MIT
//
// One run: the threads, and how they hand the work to one another.
//
//   walker ──queue──► sum-1 … sum-N ──sequencer──► printer ──► standard output
//
// The walker numbers the files in walk order. The bounded queue holds it back,
// the sequencer holds back a worker that is too far ahead, so that memory does
// not grow with the tree. The main thread waits for the printer to finish, for
// the output to fail, or for Ctrl-C.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

#include <threading/barrier.hpp>
#include <threading/event.hpp>
#include <threading/local.hpp>
#include <threading/semaphore.hpp>
#include <threading/thread.hpp>

#include "bounded_queue.hpp"
#include "console.hpp"
#include "digest.hpp"
#include "line_writer.hpp"
#include "meter.hpp"
#include "options.hpp"
#include "outcome.hpp"
#include "sequencer.hpp"

namespace threadsum {

class Session {
 public:
  // `interrupted` may be set at any time, by any thread.
  Session(const Options& options, Console& console, threading::Event& interrupted);
  ~Session();

  enum class End {
    complete,     // every file was summed and printed
    some_failed,  // all was tried; each failure has its message
    failed,       // standard output failed, or a thread did; the message is printed
    interrupted,  // `interrupted` was set; what is printed is whole lines, in order
    stuck         // ended early, and a thread does not come back from the system
  };

  // Call it once. Throws threading::RuntimeError when a thread cannot be started.
  // After `stuck` the process must end without destroying anything.
  End run();

  Meter& meter() { return meter_; }

 private:
  void start_all();
  void walk_all();                       // body of "walker"
  void count_all(std::stop_token stop);  // body of "counter", which serves the bar
  void work();                           // body of "sum-N"
  void print_all();                      // body of "printer"
  Outcome sum(const Job& job);
  void print(const Outcome& outcome, LineWriter& writer);
  void give_up();
  bool join_all(threading::Timeout patience);
  bool any_thread_failed() const;

  const Options& options_;
  Console& console_;
  threading::Event& interrupted_;
  Meter meter_;
  threading::BoundedSemaphore open_files_;
  threading::Barrier gate_;  // the workers start together
  BoundedQueue<Job> queue_;
  Sequencer sequencer_;
  threading::local<Digester> digester_;
  std::stop_source over_;  // requested when the printer has ended, however it did

  // Written by the printer, read after it was joined.
  std::size_t failed_files_ = 0;
  bool output_failed_ = false;

  std::vector<threading::Thread> threads_;  // those that were started
};

}  // namespace threadsum
