// SPDX-License-Identifier: MIT
#include "harness.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <numeric>
#include <thread>

namespace bench {
namespace {

double work_per_ns = 1;

// What the work of this thread has come to. Each piece goes on from it, so that a processor cannot begin a piece before
// the one before it is done, as it would with pieces that need nothing from each other.
thread_local std::uint64_t chain = 1;

// A chain of dependent multiplications: no other unit of the processor can shorten it.
void turn(std::uint64_t times) noexcept {
  std::uint64_t x = chain;
  for (; times != 0; --times) {
    x *= 0x9E3779B97F4A7C15u;
    asm volatile("" : "+r"(x));
  }
  chain = x;
}

void pin_to(int cpu) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  sched_setaffinity(0, sizeof set, &set);
}

int processors() noexcept { return static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN))); }

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

std::vector<Entry>& entries() {
  static std::vector<Entry> all;
  return all;
}

double context_switches() noexcept {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_nvcsw + usage.ru_nivcsw);
}

double resident_bytes() noexcept {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  long total = 0;
  long resident = 0;
  const int fields = std::fscanf(file, "%ld %ld", &total, &resident);
  std::fclose(file);
  return fields == 2 ? static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) : 0;
}

double os_threads() noexcept {
  std::FILE* file = std::fopen("/proc/self/status", "re");
  if (file == nullptr) return -1;
  char line[256];
  int threads = -1;
  while (threads < 0 && std::fgets(line, sizeof line, file) != nullptr) std::sscanf(line, "Threads: %d", &threads);
  std::fclose(file);
  return threads;
}

bool place_process(Placement placement) noexcept {
  if (placement != Placement::one) return false;
  cpu_set_t before;
  const bool had_several = sched_getaffinity(0, sizeof before, &before) == 0 && CPU_COUNT(&before) > 1;
  // The last processor: the first one serves more interrupts on most systems.
  pin_to(processors() - 1);
  cpu_set_t after;
  return had_several && sched_getaffinity(0, sizeof after, &after) == 0 && CPU_COUNT(&after) == 1;
}

void place(Placement placement, std::size_t index) noexcept {
  switch (placement) {
    case Placement::one:
    case Placement::free: break;
    case Placement::late: pin_to(processors() - 1); break;
    case Placement::apart: pin_to(static_cast<int>(index % static_cast<std::size_t>(processors()))); break;
  }
}

void calibrate_work() noexcept {
  constexpr std::uint64_t kTurns = 200'000;
  // The processor's clock drifts by a few per cent from one process to the next, so each finds out for itself; and one
  // piece is within 1 % of the next, so it takes the median of many.
  std::vector<double> took(31);
  for (double& ns : took) {
    const std::int64_t start = now();
    turn(kTurns);
    ns = static_cast<double>(now() - start);
  }
  work_per_ns = kTurns / std::max(median(std::move(took)), 1.0);
}

void work(double nanoseconds) noexcept { turn(static_cast<std::uint64_t>(nanoseconds * work_per_ns)); }

Result time_loop(const Options& options, const std::function<void(std::size_t)>& steps) {
  place(options.placement, 0);
  // A second thread that sleeps: some C libraries leave the atomic operations out while there is only one, and nobody
  // needs a lock then.
  std::atomic<bool> done{false};
  std::thread second([&] { done.wait(false); });
  const auto let_go = [&] {
    done.store(true);
    done.notify_one();
    second.join();
  };
  if (options.steps != 0) {
    const std::int64_t start = now();
    steps(options.steps);
    const auto took = static_cast<double>(now() - start);
    let_go();
    return {.ns = took / static_cast<double>(options.steps)};
  }
  std::size_t batch = 1;
  for (;;) {  // also warms up
    const std::int64_t start = now();
    steps(batch);
    if (now() - start > 500'000) break;
    batch *= 2;
  }
  std::vector<double> times;
  const std::int64_t end = now() + options.duration;
  do {
    const std::int64_t start = now();
    steps(batch);
    times.push_back(static_cast<double>(now() - start) / static_cast<double>(batch));
  } while (now() < end);
  let_go();
  return {.ns = median(std::move(times))};
}

struct Team::Member {
  std::thread thread;
};

Team::Team(const Options& options, std::size_t size, std::function<void(std::size_t)> body) {
  for (std::size_t i = 0; i != size; ++i) {
    auto* member = new Member;
    members_.push_back(member);
    member->thread = std::thread([this, body, i, placement = options.placement] {
      place(placement, i);
      ready_.fetch_add(1);
      while (!gate_.load()) std::this_thread::yield();
      body(i);
    });
  }
  while (ready_.load() != size) std::this_thread::yield();
}

void Team::go() noexcept { gate_.store(true); }

void Team::join() {
  for (Member* member : members_) {
    member->thread.join();
    delete member;
  }
  members_.clear();
}

Result time_rounds(const Options& options, const std::function<void()>& round) {
  place(options.placement, 0);
  if (options.steps == 0) {
    for (int i = 0; i != 20; ++i) round();
  }
  const double switches_before = context_switches();
  const std::int64_t start = now();
  if (options.steps != 0) {
    for (std::size_t i = 0; i != options.steps; ++i) round();
    return {.ns = static_cast<double>(now() - start) / static_cast<double>(options.steps)};
  }
  const std::int64_t end = start + options.duration;
  std::int64_t at = start;
  double rounds = 0;
  while (at < end) {
    for (int i = 0; i != 8; ++i) round();
    rounds += 8;
    at = now();
  }
  return {.ns = static_cast<double>(at - start) / rounds, .switches = (context_switches() - switches_before) / rounds};
}

Result time_contended(const Options& options, std::size_t threads, const std::function<void(std::size_t)>& many_steps,
                      const std::function<void(std::size_t)>& one_step) {
  enum class Stage : std::uint8_t { counted, clocked, over };
  struct alignas(128) Counter {
    std::atomic<double> ops{0};
    std::int64_t longest = 0;
  };
  constexpr int kSteps = 16;                      // many_steps() takes so many
  constexpr std::int64_t kSettling = 30'000'000;  // nanoseconds
  const std::int64_t settling = std::min(kSettling, 3 * options.duration);
  std::vector<Counter> counters(threads);
  std::atomic<Stage> stage{Stage::counted};
  std::atomic<std::size_t> clocked{0};
  std::atomic<std::int64_t> begun{std::numeric_limits<std::int64_t>::max()};
  // What of a step was after `begun`.
  const auto note = [&](Counter& counter, std::int64_t from, std::int64_t to) {
    const std::int64_t start = begun.load(std::memory_order_relaxed);
    if (to > start) counter.longest = std::max(counter.longest, to - std::max(from, start));
  };
  Team team(options, threads, [&](std::size_t i) {
    for (double ops = kSteps; stage.load(std::memory_order_relaxed) == Stage::counted; ops += kSteps) {
      many_steps(i);
      counters[i].ops.store(ops, std::memory_order_relaxed);
    }
    std::int64_t before = now();
    clocked.fetch_add(1);
    note(counters[i], 0, before);  // who could not even finish what it had begun
    while (stage.load(std::memory_order_relaxed) == Stage::clocked) {
      one_step(i);
      const std::int64_t after = now();
      note(counters[i], before, after);
      before = after;
    }
  });
  const auto pass = [&](std::int64_t duration) {
    const std::int64_t start = now();
    while (now() - start < duration) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return static_cast<double>(now() - start);
  };
  const auto counts = [&] {
    std::vector<double> ops;
    for (const Counter& counter : counters) ops.push_back(counter.ops.load(std::memory_order_relaxed));
    return ops;
  };
  team.go();
  pass(settling);

  const std::vector<double> ops_before = counts();
  const double switches_before = context_switches();
  const double took = pass(options.duration * 2 / 3);
  std::vector<double> ops = counts();
  const double switches = context_switches() - switches_before;
  for (std::size_t i = 0; i != threads; ++i) ops[i] -= ops_before[i];
  const double total = std::max(std::accumulate(ops.begin(), ops.end(), 0.0), 1.0);
  const auto [least, most] = std::minmax_element(ops.begin(), ops.end());

  stage.store(Stage::clocked);
  for (const std::int64_t start = now(); clocked.load() != threads && now() - start < settling;) {
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  begun.store(now());
  pass(options.duration / 3);
  stage.store(Stage::over);
  team.join();
  std::int64_t longest = 0;
  for (const Counter& counter : counters) longest = std::max(longest, counter.longest);
  return {.ns = took / total,
          .switches = switches / total,
          .fairness = *least / std::max(*most, 1.0),
          .longest_ms = static_cast<double>(longest) / 1e6};
}

}  // namespace bench
