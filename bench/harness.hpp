// SPDX-License-Identifier: MIT
//
// What every row needs: a registry of (row, rival), a clock, a team of threads that start together, and the kernel's
// count of context switches. One process measures one pair once and prints one line; run.py starts processes in random
// order and does the statistics.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bench {

// Which processors the process and its threads may use.
//   one    all on one, and the process knows it before the first library looks
//   free   wherever the kernel puts them
//   late   threads on one processor, in a process that could use all: does a spin policy notice?
//   apart  thread i on processor i modulo the number of processors
enum class Placement : std::uint8_t { one, free, late, apart };

struct Options {
  Placement placement = Placement::free;
  std::int64_t duration = 50'000'000;  // nanoseconds to measure for
  std::size_t count = 0;               // how many objects, for rows that have many; 0: the row's own number
  std::size_t steps = 0;               // if not 0: do just so many, whatever the time; for counting instructions
};

// Negative: does not apply.
struct Result {
  double ns = -1;          // per operation, as the row defines it
  double switches = -1;    // context switches per operation, of the whole process
  double fairness = -1;    // operations of the least served thread over those of the most served one
  double longest_ms = -1;  // longest time that any thread was kept waiting
  double bytes = -1;       // memory per object
  double start_ns = -1;    // the parts of `ns`, where an operation has two
  double cancel_ns = -1;
  double threads = -1;  // of the operating system, while everything is there
};

using Run = std::function<Result(const Options&)>;

struct Entry {
  std::string row;
  std::string rival;
  Run run;
};

std::vector<Entry>& entries();
inline void add(std::string row, std::string rival, Run run) {
  entries().push_back({std::move(row), std::move(rival), std::move(run)});
}

inline std::int64_t now() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Context switches of this process so far, voluntary or not.
double context_switches() noexcept;

// Bytes of memory this process has in use, as the kernel counts them.
double resident_bytes() noexcept;

// Threads of this process, as the kernel counts them.
double os_threads() noexcept;

// Puts the calling thread where `placement` wants its thread number `index`.
void place(Placement placement, std::size_t index) noexcept;
// What must happen before anything else in the process.
// Returns: whether the process may use fewer processors from now on than when it began. Libraries that have counted
// them by then, while they were loaded, learn of it only if the program begins again.
bool place_process(Placement placement) noexcept;

// Keeps a value alive without costing anything.
template <class T>
inline void keep(T const& value) noexcept {
  asm volatile("" : : "r,m"(value) : "memory");
}

// Work that takes about so many nanoseconds and touches no memory that others touch.
void calibrate_work() noexcept;
void work(double nanoseconds) noexcept;

// Runs `step()` again and again. Returns: nanoseconds for one, the median over batches of about a millisecond.
Result time_loop(const Options& options, const std::function<void(std::size_t)>& steps);
template <class Step>
Result time_each(const Options& options, Step step) {
  return time_loop(options, [&](std::size_t n) {
    // A copy that nobody else knows: what it refers to stays in registers, and is not read again for each step.
    Step own = step;
    for (; n != 0; --n) own();
  });
}

// Threads that run body(index) together. Started by start(), which returns once all of them wait at the gate.
class Team {
 public:
  Team(const Options& options, std::size_t size, std::function<void(std::size_t)> body);
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team() { join(); }
  void go() noexcept;
  void join();

 private:
  struct Member;
  std::vector<Member*> members_;
  std::atomic<std::size_t> ready_{0};
  std::atomic<bool> gate_{false};
};

// Measures `round()` in the calling thread (which is placed as thread 0) until the time is over.
// Returns: nanoseconds and context switches for each.
Result time_rounds(const Options& options, const std::function<void()>& round);

// Threads that each call step(index) until told to stop. Nothing is timed at first: until the kernel has spread them,
// two threads may share a processor for some slices of its scheduler while the other is idle, whatever they do. Then
// two parts, of the same threads: throughput and fairness, and the longest gap between two steps of one thread, whose
// clock reads would have disturbed the first.
Result time_contended(const Options& options, std::size_t threads, const std::function<void(std::size_t)>& many_steps,
                      const std::function<void(std::size_t)>& one_step);

}  // namespace bench
