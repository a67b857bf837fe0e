// SPDX-License-Identifier: MIT
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <thread>

#include <threading/detail/backend.hpp>
#include <threading/thread.hpp>

#include "soak/soak.hpp"

namespace soak {
namespace {

// Beyond this many the same complaint is only counted.
constexpr std::uint64_t kComplaintsShown = 20;

void live(Scenario& scenario, Worker& worker, Tally& tally) noexcept {
  tally.system_id.store(static_cast<int>(syscall(SYS_gettid)));
  try {
    scenario.work(worker);
  } catch (const std::exception& error) {
    worker.slice().expect(false, error.what());
  } catch (...) {
    worker.slice().expect(false, "something was thrown that is no std::exception");
  }
  tally.system_id.store(0);
}

}  // namespace

int processors() noexcept { return std::max(2, static_cast<int>(std::thread::hardware_concurrency())); }

void pause(std::uint32_t rounds) noexcept {
  for (; rounds > 0; --rounds) threading::detail::backend::cpu_relax();
}

void Worker::complain(const char* what) noexcept { slice_.expect(false, what); }

void Slice::expect(bool holds, const char* what) noexcept {
  if (holds) return;
  if (++errors_ <= kComplaintsShown) std::fprintf(stderr, "soak: ERROR in %s: %s\n", row_, what);
}

std::uint64_t Slice::operations() const noexcept {
  std::uint64_t sum = 0;
  for (const Tally& tally : tallies()) sum += tally.operations.load(std::memory_order_relaxed);
  return sum;
}

void Slice::run(std::initializer_list<Scenario*> scenarios) {
  std::vector<threading::Thread> threads;
  for (Scenario* const scenario : scenarios) {
    for (int role = 0; role < scenario->threads(); ++role) {
      const std::size_t index = threads.size();
      if (index == kMaxThreads) throw std::length_error("too many threads in a slice");
      Tally& tally = tallies_[index];
      used_.store(index + 1, std::memory_order_release);
      const auto seed = number_ * 97 + static_cast<std::uint32_t>(index) + 1;
      threads.push_back(threading::spawn({.name = std::string(row_) + "/" + std::to_string(index)},
                                         [this, scenario, &tally, role, seed] {
                                           Worker worker(*this, tally, role, seed);
                                           live(*scenario, worker, tally);
                                         }));
    }
  }
  for (const threading::Thread& thread : threads) thread.join();
  for (Scenario* const scenario : scenarios) scenario->check(*this);
}

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  add_uncontended(rows);
  add_contended(rows);
  add_waits(rows);
  add_lives(rows);
  add_faulty(rows);
  return rows;
}

}  // namespace soak
