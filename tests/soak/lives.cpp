// SPDX-License-Identifier: MIT
//
// Threads that start and end, and processes that fork while everything is busy.
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include <threading/timer.hpp>
#include <threading/with.hpp>

#include "soak/scenarios.hpp"

namespace soak {
namespace {

using namespace threading;

class StartsAndJoins : public Scenario {
 public:
  int threads() const override { return processors(); }

  void work(Worker& worker) override {
    std::uint64_t ran = 0;  // by the thread that runs at the time: start and join order it
    std::uint64_t started = 0;
    std::atomic<std::uint64_t> ran_together{0};
    std::uint64_t started_together = 0;
    while (!worker.over()) {
      for (int i = 0; i < 32; ++i) {
        const Thread thread = spawn([&] { ++ran; });
        thread.join();
        worker.expect(ran == ++started, "a thread was joined that has not run");
        worker.expect(!thread.is_alive(), "a thread was joined that is alive");
        worker.did();
      }
      std::array<std::optional<Thread>, 4> batch;
      for (auto& thread : batch) thread.emplace(spawn([&] { ++ran_together; }));
      for (auto& thread : batch) {
        if (!thread->join(10us)) thread->join();
        worker.did();
      }
      started_together += batch.size();
      worker.expect(ran_together == started_together, "a thread was joined that has not run");
    }
  }

  void check(Slice&) override {}
};

// Everybody is in the middle of something, in the lot and in the registry, when role 0 forks.
class Forks : public Scenario {
 public:
  int threads() const override { return 4; }

  void work(Worker& worker) override {
    while (!worker.over()) worker.role() == 0 ? fork_once(worker) : keep_busy(worker);
  }

  void check(Slice&) override {}

 private:
  void fork_once(Worker& worker) {
    const bool with_thread = worker.random.below(16) == 0;
    const pid_t child = fork();
    if (child == 0) _exit(library_works(with_thread));
    worker.expect(child > 0, "no process could be made");
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
    }
    worker.expect(WIFEXITED(status), "a child was killed");
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
      const std::string what = "check " + std::to_string(WEXITSTATUS(status)) + " failed in a child";
      worker.expect(false, what.c_str());
    }
    worker.did();
  }

  void keep_busy(Worker& worker) {
    {
      const With hold(lock_);
      pause(worker.random.below(32));
    }
    {
      const With hold(cv_);
      cv_.notify();
      static_cast<void>(cv_.wait(20us));
    }
    { const With hold(semaphore_); }
    static_cast<void>(event_.wait(10us));
    if (worker.random.below(32) == 0) {
      Timer timer(1h, [] {});
      timer.start();
      spawn([&] { const With hold(lock_); }).join();
      timer.cancel();
    }
  }

  // In the child. Returns: 0 if all went well, or else the number of the check.
  int library_works(bool with_thread) noexcept {
    if (active_count() != 1) return 1;
    event_.set();  // nobody waits here, whatever the parent's threads did
    if (!event_.wait(no_wait)) return 2;
    Lock lock;
    const With hold(lock);
    if (lock.acquire(1us)) return 3;
    Condition cv;
    const With hold_condition(cv);
    cv.notify_all();
    if (cv.wait(1us)) return 4;
    Semaphore semaphore(0);
    if (semaphore.acquire(1us)) return 5;
    semaphore.release();
    if (!semaphore.acquire(1h)) return 6;
    if (!with_thread) return 0;
    bool ran = false;
    spawn([&] { ran = true; }).join();
    return ran ? 0 : 7;
  }

  Lock lock_;
  Condition cv_;
  Semaphore semaphore_{1};
  Event event_;
};

template <class S>
void run(Slice& slice) {
  S scenario;
  slice.run({&scenario});
}

}  // namespace

void add_lives(std::vector<Row>& rows) {
  rows.push_back({"threads", "threads started and joined", 1e7, run<StartsAndJoins>});
  rows.push_back({"forks", "children whose library worked", 1e6, run<Forks>});
}

}  // namespace soak
