// SPDX-License-Identifier: MIT
//
// Threads that a language runtime starts and ends by means of its own: what embedding.hpp promises it and everybody
// else.
#include <threading/embedding.hpp>

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include <threading/event.hpp>
#include <threading/thread.hpp>

#include "support/errors.hpp"
#include "support/support.hpp"

namespace {

using namespace std::chrono_literals;
using support::eventually;
using threading::Deadline;
using threading::Embedding;
using threading::Event;
using threading::RuntimeError;
using threading::Thread;

using Outcome = Embedding::Outcome;

bool is_listed(const Thread& thread) {
  const std::vector<Thread> all = threading::enumerate();
  return std::find(all.begin(), all.end(), thread) != all.end();
}

// What the runtime does: begins the thread, makes an OS thread for it, and enters it there.
template <class Body>
std::thread run_as(const Thread& thread, Body body) {
  EXPECT_TRUE(Embedding::begin(thread));
  return std::thread([thread, body] {
    Embedding::enter(thread);
    body();
  });
}

TEST(EmbeddedThread, IsNotStartedUntilItsRuntimeBeginsIt) {
  Thread thread = Embedding::new_thread(true);
  EXPECT_TRUE(thread.daemon());
  EXPECT_FALSE(Embedding::is_started(thread));
  EXPECT_FALSE(thread.is_alive());
  EXPECT_FALSE(thread.ident().has_value());
  EXPECT_FALSE(is_listed(thread));
  support::expect_error<RuntimeError>("the thread's own runtime must start it", [&] { thread.start(); });
  support::expect_error<RuntimeError>("cannot join thread before it is started", [&] { thread.join(); });
}

TEST(EmbeddedThread, IsAliveAndListedFromItsBegin) {
  const Thread thread = Embedding::new_thread(false);
  ASSERT_TRUE(Embedding::begin(thread));
  EXPECT_TRUE(Embedding::is_started(thread));
  EXPECT_TRUE(thread.is_alive());
  EXPECT_TRUE(is_listed(thread));
  EXPECT_FALSE(Embedding::begin(thread)) << "begun twice";
  Embedding::set_ident(thread, 12345);
  EXPECT_EQ(thread.ident(), threading::Ident{12345});
  Embedding::take_back(thread);
}

TEST(EmbeddedThread, ATakenBackStartLeavesNothingAndMayBeRepeated) {
  const Thread thread = Embedding::new_thread(false);
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(Embedding::begin(thread));
    Embedding::take_back(thread);
    EXPECT_FALSE(Embedding::is_started(thread));
    EXPECT_FALSE(thread.is_alive());
    EXPECT_FALSE(is_listed(thread));
  }
  run_as(thread, [] {}).join();
  EXPECT_FALSE(thread.is_alive());
}

TEST(EmbeddedThread, AJoinerWaitsNoLongerForAStartThatIsTakenBack) {
  const Thread thread = Embedding::new_thread(false);
  ASSERT_TRUE(Embedding::begin(thread));
  std::atomic<Outcome> outcome{Outcome::ok};
  support::Bunch joiner(1, [&] { outcome = Embedding::wait_for_end(thread, {}); });
  ASSERT_TRUE(eventually([&] {
    Embedding::Waiting waiting[8];
    return Embedding::waiting(waiting, std::size(waiting)) == 1;
  }));
  Embedding::take_back(thread);
  joiner.join();
  EXPECT_EQ(outcome, Outcome::timed_out);
}

TEST(EmbeddedThread, OneOfManyBeginsIt) {
  for (int round = 0; round < support::rounds(50); ++round) {
    const Thread thread = Embedding::new_thread(false);
    std::atomic<int> winners{0};
    support::Bunch(4, [&] { winners += Embedding::begin(thread) ? 1 : 0; }).join();
    ASSERT_EQ(winners, 1);
    Embedding::take_back(thread);
  }
}

TEST(EmbeddedThread, IsTheCurrentThreadInsideAndKnowsItsIdent) {
  const Thread thread = Embedding::new_thread(false);
  std::atomic<bool> is_current{false};
  std::atomic<threading::Ident> ident{0};
  std::thread os_thread = run_as(thread, [&, thread] {
    is_current = Embedding::is_current(thread) && threading::current_thread() == thread;
    ident = threading::get_ident();
  });
  os_thread.join();
  EXPECT_TRUE(is_current);
  EXPECT_FALSE(Embedding::is_current(thread));
  EXPECT_EQ(thread.ident(), ident.load());
  EXPECT_NE(ident, threading::get_ident());
}

// Looks at its thread when it is destroyed.
struct Witness {
  const Thread* thread = nullptr;
  std::atomic<bool>* was_alive = nullptr;
  ~Witness() {
    if (thread != nullptr) *was_alive = thread->is_alive();
  }
};
thread_local Witness witness;

TEST(EmbeddedThread, EndsAfterTheThreadLocalObjects) {
  std::atomic<bool> was_alive{false};
  const Thread thread = Embedding::new_thread(false);
  std::thread os_thread = run_as(thread, [&] {
    witness.thread = &thread;
    witness.was_alive = &was_alive;
  });
  EXPECT_EQ(Embedding::wait_for_end(thread, {}), Outcome::ok);
  EXPECT_TRUE(was_alive);
  EXPECT_FALSE(thread.is_alive());
  EXPECT_FALSE(is_listed(thread));
  os_thread.join();
}

TEST(EmbeddedThread, IsJoinedAsAnyOtherByManyWithAndWithoutBounds) {
  Event go;
  const Thread thread = Embedding::new_thread(false);
  std::thread os_thread = run_as(thread, [&] { go.wait(); });
  EXPECT_FALSE(thread.join(support::kShortDelay));
  EXPECT_EQ(Embedding::wait_for_end(thread, {.deadline = Deadline::passed()}), Outcome::timed_out);
  support::Bunch joiners(6, [&](int index) {
    if (index % 3 == 0) thread.join();
    if (index % 3 == 1) {
      EXPECT_TRUE(thread.join(support::kLongDelay));
    }
    if (index % 3 == 2) {
      EXPECT_EQ(Embedding::wait_for_end(thread, {}), Outcome::ok);
    }
    EXPECT_FALSE(thread.is_alive());
  });
  go.set();
  joiners.join();
  os_thread.join();
}

TEST(EmbeddedThread, WhatItDidIsSeenByWhoWaitedForItsEnd) {
  for (int round = 0; round < support::rounds(100); ++round) {
    int plain = 0;
    const Thread thread = Embedding::new_thread(false);
    std::thread os_thread = run_as(thread, [&] { plain = 1; });
    ASSERT_EQ(Embedding::wait_for_end(thread, {}), Outcome::ok);
    ASSERT_EQ(plain, 1);
    os_thread.join();
  }
}

TEST(EmbeddedThread, MayBeEndedByItsRuntimeWhileItsOsThreadGoesOn) {
  Event go;
  const Thread thread = Embedding::new_thread(false);
  std::thread os_thread = run_as(thread, [&] { go.wait(); });
  support::Bunch joiners(3, [&] { thread.join(); });
  Embedding::finish(thread);
  joiners.join();
  EXPECT_FALSE(thread.is_alive());
  Embedding::finish(thread);
  EXPECT_FALSE(thread.is_alive());
  EXPECT_TRUE(Embedding::is_started(thread));
  EXPECT_FALSE(Embedding::begin(thread));
  go.set();
  os_thread.join();
  EXPECT_FALSE(is_listed(thread));
}

}  // namespace
