// SPDX-License-Identifier: MIT
//
// A thread's token and what runs when a thread ends.
#include "platform/thread_exit.hpp"

#include <pthread.h>

#include <atomic>
#include <functional>
#include <latch>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <threading/detail/thread_token.hpp>

#include <gmock/gmock.h>

#include "support/sanitizers.hpp"
#include "support/support.hpp"

namespace {

using namespace support;
using threading::detail::PerThread;
using threading::detail::thread_token;
using threading::detail::thread_token_hint;
using threading::detail::ThreadToken;
using threading::platform::ExitStage;
using threading::platform::on_thread_exit;

PerThread& self() { return threading::detail::backend::per_thread(); }

// Runs `body` on a thread of its own, to its very end.
template <class Body>
void on_new_thread(Body body) {
  Bunch bunch;
  bunch.add(std::function<void()>(body));
  bunch.join();
}

TEST(ThreadToken, IsAssignedOnFirstNeed) {
  on_new_thread([] {
    EXPECT_EQ(thread_token_hint(), 0u);
    const ThreadToken token = thread_token();
    EXPECT_NE(token, 0u);
    EXPECT_EQ(thread_token_hint(), token);
    EXPECT_EQ(thread_token(), token);
  });
}

// It has to fit into a lock's word beside two flags.
TEST(ThreadToken, HasThirtyBits) {
  on_new_thread([] { EXPECT_LT(thread_token(), 1u << 30); });
}

TEST(ThreadToken, IsUniqueAmongLivingThreads) {
  const int threads = crowd(64);
  std::mutex mutex;
  std::set<ThreadToken> tokens;
  std::latch all_have_one(threads);
  Bunch bunch(threads, [&] {
    const ThreadToken token = thread_token();
    {
      const std::scoped_lock hold(mutex);
      tokens.insert(token);
    }
    all_have_one.arrive_and_wait();
  });
  bunch.join();
  EXPECT_EQ(tokens.size(), static_cast<std::size_t>(threads));
}

// Slots are used again, or a million threads would be the most a process may ever have; but not under the same token at
// once, so that an owner that is gone is not taken for the next thread.
TEST(ThreadToken, IsNotUsedAgainAtOnce) {
  std::set<ThreadToken> tokens;
  std::set<ThreadToken> slots;
  for (int i = 0; i < 100; ++i) {
    on_new_thread([&] {
      tokens.insert(thread_token());
      slots.insert(thread_token() & 0xFFFFF);
    });
  }
  EXPECT_EQ(tokens.size(), 100u);
  EXPECT_LT(slots.size(), 10u);
}

// Threads that take and give back tokens all the time never hold the same one.
TEST(ThreadToken, StaysUniqueWhileThreadsComeAndGo) {
  std::mutex mutex;
  std::set<ThreadToken> held;
  Bunch bunch(4, [&] {
    for (int i = 0; i < rounds(300); ++i) {
      std::thread([&] {
        const ThreadToken token = thread_token();
        {
          const std::scoped_lock hold(mutex);
          EXPECT_TRUE(held.insert(token).second) << "two living threads are called " << token;
        }
        std::this_thread::yield();
        const std::scoped_lock hold(mutex);
        held.erase(token);
      }).join();
    }
  });
}

std::vector<char> exit_log;
void note(char what) { exit_log.push_back(what); }

// Fills both slots with functions that note when they run, while it lives.
class NoteExits {
 public:
  NoteExits() {
    exit_log.clear();
    on_thread_exit(ExitStage::values, [](PerThread&) noexcept { note('v'); });
    on_thread_exit(ExitStage::gone, [](PerThread&) noexcept { note('g'); });
  }
  NoteExits(const NoteExits&) = delete;
  NoteExits& operator=(const NoteExits&) = delete;
  ~NoteExits() {
    on_thread_exit(ExitStage::values, nullptr);
    on_thread_exit(ExitStage::gone, nullptr);
  }
};

std::string log_text() { return {exit_log.begin(), exit_log.end()}; }

TEST(ThreadExit, RunsNothingForAThreadThatIsUnknown) {
  const NoteExits noting;
  on_new_thread([] {});
  EXPECT_EQ(log_text(), "");
}

// Values go first, in rounds, since destructors may make new ones; leaving comes last and once.
TEST(ThreadExit, RunsValuesBeforeGone) {
  const NoteExits noting;
  on_new_thread([] { thread_token(); });
  EXPECT_THAT(log_text(), testing::MatchesRegex("v+g"));
}

TEST(ThreadExit, RunsOnceHoweverOftenItIsArmed) {
  const NoteExits noting;
  on_new_thread([] {
    threading::platform::arm_thread_exit(self());
    threading::platform::arm_thread_exit(self());
    thread_token();
  });
  EXPECT_THAT(log_text(), testing::MatchesRegex("v+g"));
}

struct NotesItsEnd {
  ~NotesItsEnd() {
    note('d');
    EXPECT_NE(thread_token(), 0u);  // the library works in here
  }
};
thread_local NotesItsEnd notes_its_end;

// Destructors of thread_local objects run while the thread still has its name.
TEST(ThreadExit, ComesAfterThreadLocalDestructors) {
  const NoteExits noting;
  on_new_thread([] {
    thread_token();
    [[maybe_unused]] NotesItsEnd* volatile made = &notes_its_end;
  });
  EXPECT_THAT(log_text(), testing::MatchesRegex("dv+g"));
}

// A key of somebody else, whose destructor sets it again and calls `use` in the third round: the library has said
// good-bye to the thread in the second.
class LateGuest {
 public:
  explicit LateGuest(std::function<void()> use) : use_(std::move(use)) {
    EXPECT_EQ(pthread_key_create(&key_, &visit), 0);
  }
  LateGuest(const LateGuest&) = delete;
  LateGuest& operator=(const LateGuest&) = delete;
  ~LateGuest() { pthread_key_delete(key_); }

  // By the thread that is to be visited.
  void invite() { pthread_setspecific(key_, this); }
  int visits() const { return visits_; }

 private:
  static void visit(void* value) {
    auto& self = *static_cast<LateGuest*>(value);
    if (++self.visits_ == 3) return self.use_();
    self.invite();
  }

  std::function<void()> use_;
  pthread_key_t key_{};
  int visits_ = 0;
};

// The thread sanitizer forgets a thread in the fourth round, and code that it has instrumented crashes after that.
constexpr bool kLateGuestsAreSafe = !support::kHasThreadSanitizer;

TEST(ThreadExit, LetsLateUsersHaveANewToken) {
  if (!kLateGuestsAreSafe) GTEST_SKIP() << "the sanitizer has forgotten the thread";
  ThreadToken before = 0;
  LateGuest guest([&] {
    EXPECT_EQ(thread_token_hint(), 0u);
    EXPECT_NE(thread_token(), before);
  });
  on_new_thread([&] {
    before = thread_token();
    guest.invite();
  });
  EXPECT_EQ(guest.visits(), 3);
}

// The fourth round is the last that there need be.
TEST(ThreadExit, SeesLateUsersOffInOneRound) {
  if (!kLateGuestsAreSafe) GTEST_SKIP() << "the sanitizer has forgotten the thread";
  const NoteExits noting;
  LateGuest guest([] {
    note('l');
    thread_token();
  });
  on_new_thread([&] {
    thread_token();
    guest.invite();
  });
  EXPECT_THAT(log_text(), testing::MatchesRegex("v+glvg"));
}

// The block of a thread is zero at its start, whatever the thread before it left behind on the same stack.
TEST(PerThread, IsZeroInANewThread) {
  on_new_thread([] {
    self().ident = 7;
    self().in_trace = true;
  });
  on_new_thread([] {
    EXPECT_EQ(self().token, 0u);
    EXPECT_EQ(self().ident, 0u);
    EXPECT_FALSE(self().in_trace);
    EXPECT_EQ(self().thread, nullptr);
    EXPECT_EQ(self().locals, nullptr);
    EXPECT_EQ(self().trace, nullptr);
  });
}

}  // namespace
