// SPDX-License-Identifier: MIT
//
// What a row of the soak is made of.
//
//   Row       a line of the table: what is counted, how much of it is wanted, how to run it for a while
//   Slice     one run of a row, a few seconds long
//   Scenario  threads that use the library together and can tell afterwards whether it kept its promises
//   Worker    one thread of a scenario: it counts, and it is told when the slice is over
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "support/random.hpp"

namespace soak {

using support::Random;

// At least 2, so that contention is contention.
int processors() noexcept;

// Spins for about `rounds` pauses.
void pause(std::uint32_t rounds) noexcept;

// What one thread has done. Written by that thread alone, read by the monitor; a cache line each.
struct alignas(64) Tally {
  std::atomic<std::uint64_t> operations{0};  // counted towards the target, or work that shows that nothing hangs
  std::atomic<int> system_id{0};             // 0 before the thread runs and after it has ended
};

class Slice;

class Worker {
 public:
  Worker(Slice& slice, Tally& tally, int role, std::uint32_t seed) noexcept
      : random(seed), slice_(slice), tally_(tally), role_(role) {}

  // Which of its scenario's threads this is, from 0.
  int role() const noexcept { return role_; }
  Slice& slice() const noexcept { return slice_; }
  bool over() const noexcept;
  void did(std::uint64_t operations = 1) noexcept {
    // relaxed: nobody else writes it, and whoever reads it wants to know only whether it changes.
    tally_.operations.store(tally_.operations.load(std::memory_order_relaxed) + operations, std::memory_order_relaxed);
  }
  // Counts an error, and says which, unless `holds`.
  void expect(bool holds, const char* what) noexcept {
    if (!holds) [[unlikely]]
      complain(what);
  }

  Random random;

 private:
  void complain(const char* what) noexcept;

  Slice& slice_;
  Tally& tally_;
  int role_;
};

class Scenario {
 public:
  Scenario() = default;
  Scenario(const Scenario&) = delete;
  Scenario& operator=(const Scenario&) = delete;
  virtual ~Scenario() = default;

  virtual int threads() const = 0;
  // What each thread does until worker.over(); no thread may rely on another to go on after that.
  virtual void work(Worker& worker) = 0;
  // Judges the outcome, once all threads have ended.
  virtual void check(Slice& slice) = 0;
};

class Slice {
 public:
  Slice(const char* row, std::uint32_t number) noexcept : row_(row), number_(number) {}
  Slice(const Slice&) = delete;
  Slice& operator=(const Slice&) = delete;

  // Runs all threads of the scenarios until the slice is over, and has the outcome judged. Blocks.
  void run(std::initializer_list<Scenario*> scenarios);

  const char* row() const noexcept { return row_; }
  // 0, 1, 2 … over the rounds: for rows that do something else each time.
  std::uint32_t number() const noexcept { return number_; }
  // relaxed: an order to stop, which publishes nothing.
  bool over() const noexcept { return over_.load(std::memory_order_relaxed); }
  void end() noexcept { over_.store(true, std::memory_order_relaxed); }

  void expect(bool holds, const char* what) noexcept;
  std::uint64_t errors() const noexcept { return errors_.load(); }
  // The sum over all threads. May be asked at any time.
  std::uint64_t operations() const noexcept;
  // Of the threads so far; at most kMaxThreads.
  std::span<const Tally> tallies() const noexcept { return {tallies_.data(), used_.load(std::memory_order_acquire)}; }

  // Faults that have been injected on behalf of this slice.
  std::uint64_t faults() const noexcept { return faults_.load(); }
  void add_faults(std::uint64_t count) noexcept { faults_ += count; }

  static constexpr std::size_t kMaxThreads = 64;

 private:
  const char* row_;
  std::uint32_t number_;
  std::atomic<bool> over_{false};
  std::atomic<std::uint64_t> errors_{0};
  std::atomic<std::uint64_t> faults_{0};
  std::atomic<std::size_t> used_{0};
  std::array<Tally, kMaxThreads> tallies_;
};

inline bool Worker::over() const noexcept { return slice_.over(); }

struct Row {
  const char* name;
  const char* counts;  // what is counted, in words
  double target;
  void (*run)(Slice& slice);
  bool counts_faults = false;  // the target is for injected faults, not for operations
  bool only_if_named = false;
};

// All rows, in the order of the table.
std::vector<Row> all_rows();

// Each in a source of its own.
void add_uncontended(std::vector<Row>& rows);
void add_contended(std::vector<Row>& rows);
void add_waits(std::vector<Row>& rows);
void add_lives(std::vector<Row>& rows);
void add_faulty(std::vector<Row>& rows);

}  // namespace soak
