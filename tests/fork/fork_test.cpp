// SPDX-License-Identifier: MIT
//
// What a forked child finds: one thread, a usable library, no stale waiter; whoever forks, whatever others do.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <sstream>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <threading/embedding.hpp>
#include <threading/threading.hpp>

#include "support/support.hpp"

namespace {

using namespace std::chrono_literals;
using support::eventually;
using support::exited;
using support::expect_child;
using threading::Event;
using threading::Thread;
using threading::Timer;
using threading::With;

// Every primitive, held and waited for by threads of its own.
class Busy {
 public:
  Busy() {
    add([this] {
      With held(lock_);
      With held_too(rlock_);
      held_.set();
      go_.wait();
    });
    held_.wait();
    add([this] { With held(lock_); });
    add([this] { With held(rlock_); });
    add([this] {
      With held(condition_);
      condition_.wait();
    });
    add([this] { semaphore_.acquire(); });
    add([this] { go_.wait(); });
    add([this] { barrier_.wait(); });
    add([this] { threads_.front().join(); });
    EXPECT_TRUE(eventually([] { return waiting() == 8; }));
  }
  ~Busy() {
    go_.set();
    {
      With hold(condition_);
      condition_.notify_all();
    }
    semaphore_.release();
    barrier_.wait();
    for (const Thread& thread : threads_) thread.join();
  }

 private:
  static std::size_t waiting() {
    std::size_t count = 0;
    for (const threading::ThreadInfo& info : threading::snapshot()) count += info.wait ? 1 : 0;
    return count;
  }
  template <class F>
  void add(F body) {
    threads_.push_back(threading::spawn(body));
  }

  threading::Lock lock_;
  threading::RLock rlock_;
  threading::Condition condition_;
  threading::Semaphore semaphore_{0};
  Event go_;
  Event held_;
  threading::Barrier barrier_{2};
  std::vector<Thread> threads_;
};

// What must work in every child, whatever its parent did.
void use_everything() {
  EXPECT_EQ(threading::active_count(), 1u);
  EXPECT_EQ(threading::main_thread(), threading::current_thread());
  EXPECT_EQ(threading::snapshot().size(), 1u);
  EXPECT_EQ(threading::get_native_id(), getpid());
  EXPECT_EQ(threading::current_thread().native_id(), getpid());
  threading::Lock lock;
  Event event;
  threading::Condition condition;
  bool ready = false;
  Thread worker = threading::spawn([&] {
    threading::With hold(lock);
    event.wait();
    threading::With hold_too(condition);
    ready = true;
    condition.notify();
  });
  EXPECT_FALSE(worker.join(1ms));
  event.set();
  {
    threading::With hold(condition);
    condition.wait_for([&] { return ready; });
  }
  worker.join();
  bool fired = false;
  Timer timer(0.001, [&] { fired = true; });
  timer.start();
  timer.join();
  EXPECT_TRUE(fired);
  threading::local<int> number;
  EXPECT_EQ(*number, 0);
}

TEST(Fork, LeavesAUsableLibrary) { expect_child(exited(0), "", use_everything); }

TEST(Fork, LeavesAUsableLibraryWhileOthersHoldAndWaitForEverything) {
  Busy busy;
  for (int i = 0; i < support::rounds(10); ++i) expect_child(exited(0), "", use_everything);
}

TEST(Fork, FromAWorkerMakesItTheMainThread) {
  Busy busy;
  threading::spawn({.name = "forker"}, [] {
    const Thread self = threading::current_thread();
    const Thread old_main = threading::main_thread();
    expect_child(exited(0), "", [&] {
      use_everything();
      EXPECT_EQ(threading::main_thread(), self);
      EXPECT_EQ(self.name(), "forker");
      EXPECT_TRUE(self.is_alive());
      EXPECT_FALSE(old_main.is_alive());
      EXPECT_TRUE(old_main.join(threading::no_wait));
    });
  }).join();
}

TEST(Fork, FromAForeignThreadMakesAMainThread) {
  std::thread([] {
    expect_child(exited(0), "", [] {
      use_everything();
      EXPECT_EQ(threading::current_thread().name(), "MainThread");
      EXPECT_FALSE(threading::current_thread().daemon());
    });
  }).join();
  std::thread([] {
    const Thread dummy = threading::current_thread();
    expect_child(exited(0), "", [&] {
      use_everything();
      EXPECT_EQ(threading::main_thread(), dummy);
      EXPECT_EQ(dummy.name(), "MainThread");
    });
  }).join();
}

TEST(Fork, FromATimersFunctionMakesItTheMainThread) {
  Timer timer(0.0, [] {
    const Thread self = threading::current_thread();
    expect_child(exited(0), "", [&] {
      use_everything();
      EXPECT_EQ(threading::main_thread(), self);
    });
  });
  timer.start();
  timer.join();
}

TEST(Fork, OtherThreadsAreOverAndJoinableAtOnceInWhateverStateTheyWere) {
  Event go;
  Thread running = threading::spawn([&] { go.wait(); });
  Thread joined_elsewhere = threading::spawn([&] { go.wait(); });
  Thread joiner = threading::spawn([&] { joined_elsewhere.join(); });
  Thread ended = threading::spawn([] {});
  ASSERT_TRUE(eventually([&] { return !ended.is_alive(); }));
  Thread fresh([] {});
  Timer pending(1h, [] {});
  pending.start();
  expect_child(exited(0), "", [&] {
    for (const Thread& thread : {running, joined_elsewhere, joiner, ended, static_cast<Thread>(pending)}) {
      EXPECT_FALSE(thread.is_alive());
      EXPECT_TRUE(thread.ident().has_value());
      thread.join();
      EXPECT_TRUE(thread.join(1s));
    }
    pending.cancel();
    EXPECT_EQ(threading::active_count(), 1u);
    fresh.start();
    fresh.join();
  });
  go.set();
  pending.cancel();
  for (const Thread& thread : {running, joined_elsewhere, joiner, ended, static_cast<Thread>(pending)}) thread.join();
}

// The child's timers do not find the parent's in their way, whether those were cancelled or not.
TEST(Fork, AChildMayCancelTimersOfItsParentAndUseItsOwn) {
  Timer pending(1h, [] {});
  Timer other(1h, [] {});
  pending.start();
  other.start();
  expect_child(exited(0), "", [&] {
    pending.cancel();
    Event fired;
    Timer mine(0.001, [&] { fired.set(); });
    mine.start();
    EXPECT_TRUE(fired.wait(30s));
    mine.join();
    other.cancel();
    Timer another(1h, [] {});
    another.start();
    another.cancel();
    another.join();
    EXPECT_EQ(threading::active_count(), 1u);
  });
  pending.cancel();
  other.cancel();
}

TEST(Fork, AChildWaitsForItsOwnThreadsAtExit) {
  const support::ChildResult result = support::run_child([] {
    threading::spawn([] {
      threading::main_thread().join();
      std::fputs("waited for", stderr);
    });
  });
  EXPECT_EQ(result.ending, exited(0));
  EXPECT_EQ(result.err, "waited for");
}

TEST(Fork, AGrandchildWorksToo) {
  expect_child(exited(0), "", [] {
    use_everything();
    const pid_t pid = fork();
    if (pid == 0) {
      use_everything();
      std::_Exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
  });
}

TEST(Fork, WhileThreadsTimersAndLocalsComeAndGo) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the address sanitizer's allocator has locks of its own, which a fork may leave held in the child";
#endif
  std::atomic<bool> stop = false;
  support::Bunch churn(2, [&] {
    while (!stop) {
      threading::local<int> number;
      Thread thread = threading::spawn([&] { ++*number; });
      Timer timer(0.0001, [] {});
      timer.start();
      Timer other(1h, [] {});
      other.start();
      thread.name("renamed");
      std::ostringstream text;
      threading::dump(text);
      thread.join();
      other.cancel();
      timer.join();
    }
  });
  for (int i = 0; i < support::rounds(50); ++i) expect_child(exited(0), "", use_everything);
  stop = true;
  churn.join();
}

// Forks once, at the first time it is asked, and lets the wait go on in both processes.
struct ForkingHook {
  pid_t child = -1;
  Event* set_in_child = nullptr;
  static bool stays(void* self) {
    auto& hook = *static_cast<ForkingHook*>(self);
    if (hook.child != -1) return true;
    hook.child = fork();
    if (hook.child == 0) alarm(20);
    if (hook.child == 0 && hook.set_in_child != nullptr) hook.set_in_child->set();
    return true;
  }
};

// A wait in whose middle a signal handler of a runtime forks: another thread is queued before and behind it.
void fork_within_a_wait(bool set_in_child) {
  expect_child(exited(0), "", [set_in_child] {
    Event event;
    const auto wait = [&] { event.wait(); };
    Thread before = threading::spawn(wait);
    EXPECT_TRUE(eventually([&] { return threading::Embedding::waiters(event) == 1; }));
    Thread behind([&] {
      EXPECT_TRUE(eventually([&] { return threading::Embedding::waiters(event) == 2; }));
      event.wait();
    });
    behind.start();
    ForkingHook hook;
    if (set_in_child) hook.set_in_child = &event;
    const threading::Embedding::Wait bound{.deadline = threading::Deadline::after(100'000'000),
                                           .on_signal = {&ForkingHook::stays, &hook}};
    const auto outcome = threading::Embedding::wait(event, bound);
    using Outcome = threading::Embedding::Outcome;
    if (hook.child == 0) {
      EXPECT_EQ(outcome, set_in_child ? Outcome::ok : Outcome::timed_out);
      EXPECT_EQ(threading::Embedding::waiters(event), 0u);
      use_everything();
      std::_Exit(testing::Test::HasFailure() ? 1 : 0);
    }
    EXPECT_EQ(outcome, Outcome::timed_out);
    int status = -1;
    waitpid(hook.child, &status, 0);
    EXPECT_EQ(status, 0);
    event.set();
    before.join();
    behind.join();
  });
}
TEST(Fork, WithinAWaitLeavesAWaitThatTimesOut) { fork_within_a_wait(false); }
TEST(Fork, WithinAWaitLeavesAWaitThatIsWoken) { fork_within_a_wait(true); }

TEST(Fork, TellsAnEmbedderBeforeAndAfter) {
  static std::atomic<int> steps;
  steps = 0;
  threading::Embedding::on_fork([]() noexcept { steps += 1; }, []() noexcept { steps += 10; },
                                []() noexcept {
                                  steps += 100;
                                  if (threading::active_count() != 1) std::abort();
                                });
  expect_child(exited(0), "", [] { EXPECT_EQ(steps, 101); });
  EXPECT_EQ(steps, 11);
  threading::Embedding::on_fork(nullptr, nullptr, nullptr);
}

}  // namespace
