// SPDX-License-Identifier: MIT
//
// Everything at once while sleeps end for no reason, wakes come late and signals rain. And, for the watchdog's sake, a
// row that hangs.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "soak/faults.hpp"
#include "soak/scenarios.hpp"

namespace soak {
namespace {

using namespace threading;

// About two thousand signals a second, without SA_RESTART, each to another thread of the slice.
class Signals : public Scenario {
 public:
  Signals() {
    struct sigaction action = {};
    action.sa_handler = [](int) {};
    sigaction(SIGUSR1, &action, nullptr);
  }

  int threads() const override { return 1; }

  void work(Worker& worker) override {
    const pid_t process = getpid();
    while (!worker.over()) {
      for (const Tally& tally : worker.slice().tallies()) {
        // The thread may have ended meanwhile, and then nobody is hit.
        if (const int thread = tally.system_id.load(); thread != 0) syscall(SYS_tgkill, process, thread, SIGUSR1);
        std::this_thread::sleep_for(500us);
      }
    }
  }

  void check(Slice&) override {}
};

void spurious(Slice& slice) {
  const FaultCounts before = fault_counts();
  set_faults(192, 16);
  Lock lock;
  Exclusion exclusion(lock, 2);
  EventTurns turns;
  InStep parties(slice, 3);
  Condition cv;
  Notified notified(cv, 3);
  Semaphore semaphore(0);
  Units units(semaphore, Units<Semaphore>::Counts::calls, up_to_30_microseconds);
  Signals signals;
  slice.run({&exclusion, &turns, &parties, &notified, &units, &signals});
  set_faults(0, 0);
  slice.add_faults(fault_counts().spurious - before.spurious);
}

// For the watchdog: a thread that waits for what nobody does.
class Hang : public Scenario {
 public:
  int threads() const override { return 1; }
  void work(Worker&) override { event_.wait(); }
  void check(Slice&) override {}

 private:
  Event event_;
};

void hang(Slice& slice) {
  Hang scenario;
  slice.run({&scenario});
}

}  // namespace

void add_faulty(std::vector<Row>& rows) {
  rows.push_back({.name = "spurious",
                  .counts = "sleeps that ended for no reason",
                  .target = 1e7,
                  .run = spurious,
                  .counts_faults = true});
  rows.push_back({.name = "hang", .counts = "nothing", .target = 1, .run = hang, .only_if_named = true});
}

}  // namespace soak
