// SPDX-License-Identifier: MIT
//
// How a process ends: whom it waits for, who is stopped, and that it does end. Each body runs in a child whose return
// stands for the return of main().
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <threading/embedding.hpp>
#include <threading/threading.hpp>

#include "support/errors.hpp"
#include "support/support.hpp"

namespace {

using namespace std::chrono_literals;
using support::exited;
using support::expect_child;
using threading::Event;
using threading::Thread;
using threading::Timer;

// What a child wrote to stderr.
std::string said_by(support::Ending ending, const std::function<void()>& body) {
  const support::ChildResult result = support::run_child(body);
  EXPECT_EQ(result.ending, ending) << result.err;
  return result.err;
}

void say(const char* text) {
  std::fputs(text, stderr);
  std::fflush(stderr);
}

TEST(Exit, WaitsForEveryThreadThatIsNoDaemon) {
  EXPECT_EQ(said_by(exited(0),
                    [] {
                      threading::spawn([] {
                        threading::main_thread().join();
                        say("main is over,");
                        threading::spawn([] { say(" and this one was started since"); });
                      });
                    }),
            "main is over, and this one was started since");
}

TEST(Exit, WaitsForPendingTimersButNotForDaemonOnes) {
  EXPECT_EQ(said_by(exited(0),
                    [] {
                      Timer(0.05, [] { say("fired"); }).start();
                      Timer daemon({.daemon = true}, 1h, [] { say("never"); });
                      daemon.start();
                      Timer cancelled(1h, [] { say("never"); });
                      cancelled.start();
                      cancelled.cancel();
                    }),
            "fired");
}

TEST(Exit, DoesNotWaitForDaemons) {
  expect_child(exited(0), "", [] {
    static Event never;
    threading::spawn({.daemon = true}, [] { never.wait(); });
  });
}

TEST(Exit, KeepsItsStatus) {
  expect_child(exited(7), "", [] {
    threading::spawn([] { threading::main_thread().join(); });
    std::exit(7);
  });
}

TEST(Exit, FromAWorkerDoesNotDeadlock) {
  expect_child(exited(3), "", [] {
    Thread worker = threading::spawn([] { std::exit(3); });
    worker.join();
  });
  expect_child(exited(3), "", [] {
    static Event never;
    threading::spawn([] { never.wait(); });
    Thread worker = threading::spawn([] { std::exit(3); });
    threading::spawn([worker] { worker.join(); });
    never.wait();
  });
}

TEST(Exit, FromATimersFunctionAndFromAForeignThreadDoesNotDeadlock) {
  expect_child(exited(3), "", [] {
    Timer timer(0.0, [] { std::exit(3); });
    timer.start();
    timer.join();
  });
  expect_child(exited(3), "", [] {
    threading::spawn([] {}).join();
    std::thread([] { std::exit(3); }).join();
  });
}

TEST(Exit, TwentyTimesWithDaemonsThatUseEverything) {
  struct Busy {
    threading::Lock lock;
    threading::RLock rlock;
    threading::Condition condition;
    threading::Semaphore semaphore{0};
    Event event;
    threading::Barrier barrier{100};
  };
  for (int i = 0; i < 20; ++i) {
    expect_child(exited(0), "", [] {
      static Busy& busy = *new Busy;
      const auto forever_doing = [](auto body) {
        threading::spawn({.daemon = true}, [body] {
          for (;;) body();
        });
      };
      for (int copies = 0; copies < 3; ++copies) {
        forever_doing([] { threading::With hold(busy.lock); });
        forever_doing([] { threading::With hold(busy.rlock); });
        forever_doing([] { busy.semaphore.acquire(threading::Timeout(0.0001)); });
        forever_doing([] { busy.event.wait(threading::Timeout(0.0001)); });
        forever_doing([] {
          threading::With hold(busy.condition);
          busy.condition.wait(threading::Timeout(0.0001));
        });
        forever_doing([] { threading::spawn([] {}).join(); });
        forever_doing([] { threading::current_thread(); });
        forever_doing([] { Timer({.daemon = true}, 0.0001, [] {}).start(); });
        threading::spawn({.daemon = true}, [] { busy.event.wait(); });
        threading::spawn({.daemon = true}, [] {
          try {
            busy.barrier.wait();
          } catch (const threading::BrokenBarrierError&) {
          }
        });
      }
      std::this_thread::sleep_for(5ms);  // not to reach a state: any moment is good to exit
    });
  }
}

struct AtEnd {
  explicit AtEnd(std::function<void()> body) : body_(std::move(body)) {}
  ~AtEnd() { body_(); }
  std::function<void()> body_;
};

TEST(Exit, StopsDaemonsThatTouchTheLibraryAfterwards) {
  EXPECT_EQ(said_by(exited(0),
                    [] {
                      static Event main_is_over;
                      static std::atomic<bool> touched = false;
                      // Constructed before the first thread: destroyed after the process has waited for its threads.
                      static const AtEnd at_end([] {
                        main_is_over.set();
                        // The daemon wakes up, and sleeps for good at its next touch. Give it the chance to do
                        // otherwise.
                        std::this_thread::sleep_for(support::kSmallDelay);
                        say(touched ? "touched" : "stopped");
                      });
                      threading::spawn({.daemon = true}, [] {
                        main_is_over.wait();
                        threading::current_thread();
                        touched = true;
                      });
                    }),
            "stopped");
}

TEST(Exit, DoesNotStopForeignThreadsThatAStaticDestructorJoins) {
  EXPECT_EQ(said_by(exited(0),
                    [] {
                      static threading::Lock lock;
                      static Event go;
                      static std::thread foreign;
                      static const AtEnd at_end([] {
                        go.set();
                        foreign.join();
                      });
                      foreign = std::thread([] {
                        threading::current_thread();
                        go.wait();
                        threading::With hold(lock);
                        say("still works");
                      });
                      threading::spawn([] {}).join();
                    }),
            "still works");
}

TEST(Exit, RefusesNewThreadsAndJoinsOfDaemonsOnceItHasWaited) {
  EXPECT_EQ(said_by(exited(0),
                    [] {
                      static Event never;
                      static Thread daemon({.daemon = true}, [] { never.wait(); });
                      static Thread fresh([] {});
                      static const AtEnd at_end([] {
                        support::expect_error<threading::RuntimeError>(
                            "can't create new thread at interpreter shutdown", [] { fresh.start(); });
                        support::expect_error<threading::RuntimeError>("cannot join thread at interpreter shutdown",
                                                                       [] { daemon.join(); });
                        say(testing::Test::HasFailure() ? "wrong" : "refused");
                      });
                      daemon.start();
                    }),
            "refused");
}

TEST(Exit, AStaticJoiningDoesNotWaitForADaemonThatWillNeverEnd) {
  EXPECT_EQ(said_by(exited(0),
                    [] {
                      threading::Main guard;
                      static Event never;
                      static const threading::Joining scope(threading::spawn({.daemon = true}, [] { never.wait(); }));
                    }),
            "");
}

TEST(Main, WaitsBeforeStaticObjectsAreDestroyedAndGivesTheOrder) {
  EXPECT_EQ(said_by(exited(0),
                    [] {
                      threading::Main guard;
                      threading::spawn([] {
                        threading::main_thread().join();
                        say("thread,");
                      });
                      static const AtEnd later(
                          [] { say(" static"); });  // after the first start: destroyed before the exit handler
                    }),
            "thread, static");
}

TEST(Main, MainCountsAsOverForThoseThatJoinIt) {
  expect_child(exited(0), "", [] {
    threading::Main guard;
    threading::spawn([] {
      threading::main_thread().join();
      EXPECT_FALSE(threading::main_thread().is_alive());
    });
  });
}

TEST(OnShutdown, RunsBeforeThreadsAreWaitedForLastRegisteredFirst) {
  EXPECT_EQ(said_by(exited(0),
                    [] {
                      static Event asked;
                      threading::Embedding::on_shutdown([] { say("first registered,"); });
                      threading::Embedding::on_shutdown([] {
                        say("last registered, ");
                        asked.set();
                      });
                      threading::spawn([] {
                        asked.wait();
                        threading::main_thread().join();
                        say(" thread");
                      });
                    }),
            "last registered, first registered, thread");
}

TEST(OnShutdown, IsRefusedOnceItHasBegun) {
  expect_child(exited(0), "refused", [] {
    static const AtEnd at_end([] {
      support::expect_error<threading::RuntimeError>("can't register atexit after shutdown",
                                                     [] { threading::Embedding::on_shutdown([] {}); });
      if (!testing::Test::HasFailure()) say("refused");
    });
    threading::spawn([] {}).join();
  });
}

}  // namespace
