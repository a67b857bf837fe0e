// SPDX-License-Identifier: MIT
#include "session.hpp"

#include <unistd.h>

#include <chrono>
#include <exception>
#include <functional>
#include <system_error>
#include <utility>

#include <threading/errors.hpp>
#include <threading/with.hpp>

#include "line.hpp"
#include "walker.hpp"

namespace threadsum {
namespace {

// Enough that no worker waits for the walker, whose step is shorter than theirs.
constexpr std::size_t kQueuedPerWorker = 16;
// How far workers may be ahead of one that sums a very large file.
constexpr std::size_t kAheadPerWorker = 256;
// After Ctrl-C: how long a thread may take to come back from a system call (a
// reader that does not read our pipe, a file server that does not answer).
constexpr std::chrono::seconds kPatience{2};

// Runs a function when the scope is left, also by an exception.
class AtExit {
 public:
  explicit AtExit(std::function<void()> action) : action_(std::move(action)) {}
  ~AtExit() { action_(); }
  AtExit(const AtExit&) = delete;
  AtExit& operator=(const AtExit&) = delete;

 private:
  std::function<void()> action_;
};

// Numbers what the walk finds and hands it on.
class Feeder : public WalkSink {
 public:
  Feeder(BoundedQueue<Job>& queue, Sequencer& sequencer) : queue_(queue), sequencer_(sequencer) {}

  bool file(std::string path, bool named) override { return queue_.put({count_++, std::move(path), named}); }
  bool problem(std::string path, std::string why) override {
    return sequencer_.deliver(count_++, {std::move(path), {}, std::move(why)});
  }
  std::size_t count() const { return count_; }

 private:
  BoundedQueue<Job>& queue_;
  Sequencer& sequencer_;
  std::size_t count_ = 0;
};

// Only counts.
class Counter : public WalkSink {
 public:
  explicit Counter(std::stop_token stop) : stop_(std::move(stop)) {}

  bool file(std::string, bool) override { return ++count_, !stop_.stop_requested(); }
  bool problem(std::string, std::string) override { return !stop_.stop_requested(); }
  std::size_t count() const { return count_; }

 private:
  std::stop_token stop_;
  std::size_t count_ = 0;
};

}  // namespace

Session::Session(const Options& options, Console& console, threading::Event& interrupted)
    : options_(options),
      console_(console),
      interrupted_(interrupted),
      open_files_(static_cast<std::ptrdiff_t>(options.open_files)),
      gate_(options.threads),
      queue_(kQueuedPerWorker * options.threads),
      sequencer_(kAheadPerWorker * options.threads) {}

Session::~Session() {
  give_up();
  join_all(threading::forever);
}

Session::End Session::run() {
  start_all();
  interrupted_.wait(threading::forever, over_.get_token());
  const bool complete = over_.stop_requested() && sequencer_.drained();
  give_up();
  const auto patience = std::chrono::steady_clock::now() + kPatience;
  if (!join_all(complete ? threading::forever : threading::Timeout(patience))) return End::stuck;
  if (any_thread_failed()) return End::failed;
  if (!complete && interrupted_.is_set()) return End::interrupted;
  if (output_failed_) return End::failed;
  if (failed_files_ == 0) return End::complete;
  console_.message(std::to_string(failed_files_) + " could not be summed");
  return End::some_failed;
}

void Session::start_all() {
  const auto start = [this](threading::Thread thread) {
    thread.start();
    threads_.push_back(std::move(thread));
  };
  try {
    for (std::size_t i = 1; i <= options_.threads; ++i) {
      start(threading::Thread({.name = "sum-" + std::to_string(i)}, [this] { work(); }));
    }
    start(threading::Thread({.name = "printer"}, [this] { print_all(); }));
    start(threading::Thread({.name = "walker"}, [this] { walk_all(); }));
    if (console_.draws()) {
      start(threading::Thread({.name = "counter"}, [this](std::stop_token stop) { count_all(std::move(stop)); }));
    }
  } catch (...) {
    give_up();
    throw;
  }
}

// Makes every thread return soon. Harmless when they have.
void Session::give_up() {
  gate_.abort();
  queue_.abandon();
  sequencer_.abandon();
  for (const threading::Thread& thread : threads_) thread.stop_source().request_stop();
}

bool Session::join_all(threading::Timeout patience) {
  for (const threading::Thread& thread : threads_) {
    if (!thread.join(patience)) return false;
  }
  return true;
}

bool Session::any_thread_failed() const {
  for (const threading::Thread& thread : threads_) {
    if (thread.exception()) return true;
  }
  return false;
}

void Session::walk_all() {
  Feeder feeder(queue_, sequencer_);
  try {
    walk(options_.paths, open_files_, feeder);
  } catch (...) {
    over_.request_stop();  // the printer would wait for files that never come
    throw;                 // to excepthook, which reports it
  }
  queue_.close();
  sequencer_.finish(feeder.count());
}

void Session::count_all(std::stop_token stop) {
  Counter counter(std::move(stop));
  walk(options_.paths, open_files_, counter);
  meter_.expect(counter.count());
}

void Session::work() {
  try {
    gate_.wait();
  } catch (const threading::BrokenBarrierError&) {
    return;  // a colleague could not be started, or Ctrl-C came early
  }
  while (const std::optional<Job> job = queue_.take()) {
    Outcome outcome = sum(*job);
    if (interrupted_.is_set()) return;
    meter_.add_file();
    if (!sequencer_.deliver(job->index, std::move(outcome))) return;
  }
}

// The outcome of an interrupted sum has neither a sum nor an error.
Outcome Session::sum(const Job& job) {
  Outcome outcome{job.path, {}, {}};
  try {
    threading::With hold(open_files_);
    const auto piece = [this](std::size_t bytes) {
      meter_.add_bytes(bytes);
      return !interrupted_.is_set();
    };
    if (auto hex = digester_->sum(job.path, job.named, piece)) outcome.hex = std::move(*hex);
  } catch (const std::exception& error) {
    outcome.error = error.what();
  }
  return outcome;
}

void Session::print_all() {
  const AtExit tell_main([this] { over_.request_stop(); });
  LineWriter writer(STDOUT_FILENO);
  try {
    for (auto batch = sequencer_.take(); !batch.empty(); batch = sequencer_.take()) {
      for (const Outcome& outcome : batch) print(outcome, writer);
      console_.around_lines([&] { writer.flush(); });
    }
    writer.close();
  } catch (const std::system_error& error) {
    output_failed_ = true;
    console_.message("standard output: " + error.code().message());
  }
}

void Session::print(const Outcome& outcome, LineWriter& writer) {
  if (outcome.error.empty()) {
    const std::string line = sum_line(outcome.hex, outcome.path);
    console_.around_lines([&] { writer.add(line); });
    return;
  }
  ++failed_files_;
  console_.message(escaped(outcome.path) + ": " + outcome.error);
}

}  // namespace threadsum
