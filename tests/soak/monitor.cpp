// SPDX-License-Identifier: MIT
#include "soak/monitor.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>

#include <threading/dump.hpp>

#include "support/os_threads.hpp"

namespace soak {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kTick = std::chrono::milliseconds(20);
constexpr double kMostATick = 0.2;  // seconds that one tick may count

volatile sig_atomic_t asked_to_end = 0;

}  // namespace

void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = [](int) { asked_to_end = 1; };
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() noexcept { return asked_to_end != 0; }

Monitor::Monitor(Slice& slice, double seconds, double patience, std::function<void()> on_hang)
    : slice_(slice), seconds_(seconds), patience_(patience), on_hang_(std::move(on_hang)) {
  thread_ = std::thread([this] {
    // The slice's signals are for its own threads.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    watch();
  });
}

Monitor::~Monitor() { finish(); }

double Monitor::finish() {
  finished_ = true;
  if (thread_.joinable()) thread_.join();
  return ran_;
}

void Monitor::watch() {
  auto before = Clock::now();
  std::uint64_t progress = 0;
  double stalled = 0;
  while (!finished_) {
    std::this_thread::sleep_for(kTick);
    const auto now = Clock::now();
    const double passed = std::min(std::chrono::duration<double>(now - before).count(), kMostATick);
    before = now;
    ran_ += passed;
    const std::uint64_t done = slice_.operations();
    // However slow the machine: a slice in which nothing was done proves nothing.
    if ((ran_ >= seconds_ && done != 0) || interrupted()) slice_.end();
    stalled = done == progress ? stalled + passed : 0;
    progress = done;
    if (stalled > patience_) bite();
  }
}

void Monitor::bite() {
  std::cerr << "soak: HANG in " << slice_.row() << ": nothing has moved for " << patience_ << " s\n";
  on_hang_();
  int index = 0;
  for (const Tally& tally : slice_.tallies()) {
    const int thread = tally.system_id.load();
    std::cerr << "  " << slice_.row() << '/' << index++ << " has done " << tally.operations.load()
              << (thread == 0 ? ", and has ended" : ", is OS thread " + std::to_string(thread)) << '\n';
  }
  support::print_os_threads(std::cerr);
  // The dump takes the library's locks. Should it hang as well, the process must still end.
  ::signal(SIGALRM, SIG_DFL);
  sigset_t alarm_only;
  sigemptyset(&alarm_only);
  sigaddset(&alarm_only, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &alarm_only, nullptr);
  ::alarm(30);
  threading::dump(std::cerr);
  std::cerr << std::flush;
  std::abort();
}

}  // namespace soak
