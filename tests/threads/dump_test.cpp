// SPDX-License-Identifier: MIT
//
// What dump() and snapshot() tell of threads that run, wait and hold.
#include <threading/dump.hpp>

#include <algorithm>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <threading/barrier.hpp>
#include <threading/condition.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/rlock.hpp>
#include <threading/semaphore.hpp>
#include <threading/with.hpp>

#include "support/support.hpp"

namespace {

using support::eventually;
using threading::Thread;
using threading::ThreadInfo;

std::optional<ThreadInfo> find(const std::string& name) {
  for (ThreadInfo& info : threading::snapshot()) {
    if (info.name == name) return std::move(info);
  }
  return std::nullopt;
}

bool waits_for(const std::string& name, const std::string& kind) {
  const std::optional<ThreadInfo> info = find(name);
  return info && info->state == ThreadInfo::State::waiting && info->wait->kind == kind;
}

TEST(Dump, ShowsForEveryPrimitiveWhoWaits) {
  threading::Lock lock;
  threading::RLock rlock;
  threading::Condition condition;
  threading::Semaphore semaphore(0);
  threading::Event event;
  threading::Barrier barrier(2);
  lock.acquire();
  rlock.acquire();
  std::vector<Thread> threads;
  threads.push_back(threading::spawn({.name = "a"}, [&] { threading::With hold(lock); }));
  threads.push_back(threading::spawn({.name = "b"}, [&] { threading::With hold(rlock); }));
  threads.push_back(threading::spawn({.name = "c"}, [&] {
    threading::With hold(condition);
    condition.wait();
  }));
  threads.push_back(threading::spawn({.name = "d"}, [&] { semaphore.acquire(); }));
  threads.push_back(threading::spawn({.name = "e"}, [&] { event.wait(); }));
  threads.push_back(threading::spawn({.name = "f"}, [&] { barrier.wait(); }));
  EXPECT_TRUE(eventually([] { return waits_for("a", "Lock"); }));
  EXPECT_TRUE(eventually([] { return waits_for("b", "RLock"); }));
  EXPECT_TRUE(eventually([] { return waits_for("c", "Condition"); }));
  EXPECT_TRUE(eventually([] { return waits_for("d", "Semaphore"); }));
  EXPECT_TRUE(eventually([] { return waits_for("e", "Event"); }));
  EXPECT_TRUE(eventually([] { return waits_for("f", "Barrier"); }));
  EXPECT_EQ(find("b")->wait->held_by, "MainThread");
  EXPECT_EQ(find("e")->wait->held_by, "");
  lock.release();
  rlock.release();
  {
    threading::With hold(condition);
    condition.notify();
  }
  semaphore.release();
  event.set();
  barrier.wait();
  for (const Thread& thread : threads) thread.join();
}

TEST(Dump, NamesTheHolderSinceWhenAndUntilWhen) {
  threading::Lock lock;
  threading::Event held;
  threading::Event go;
  Thread holder = threading::spawn({.name = "holder", .daemon = true}, [&] {
    threading::With hold(lock);
    held.set();
    go.wait();
  });
  held.wait();
  const auto before = std::chrono::steady_clock::now();
  Thread waiter = threading::spawn({.name = "waiter"}, [&] {
    if (lock.acquire(support::kLongDelay)) lock.release();
  });
  ASSERT_TRUE(eventually([] { return waits_for("waiter", "Lock"); }));
  const ThreadInfo info = *find("waiter");
  EXPECT_EQ(info.wait->held_by, "holder");
  EXPECT_EQ(info.wait->object, &lock);
  EXPECT_GE(info.wait->since, before.time_since_epoch().count());
  EXPECT_GT(info.wait->deadline.nanoseconds(), info.wait->since);
  EXPECT_EQ(info.ident, waiter.ident());
  EXPECT_EQ(info.native_id, waiter.native_id());
  EXPECT_FALSE(info.daemon);
  EXPECT_TRUE(find("holder")->daemon);

  std::ostringstream text;
  threading::dump(text);
  EXPECT_NE(text.str().find("held by holder"), std::string::npos) << text.str();
  EXPECT_NE(text.str().find("MainThread"), std::string::npos) << text.str();
  EXPECT_NE(text.str().find("running"), std::string::npos) << text.str();
  go.set();
  holder.join();
  waiter.join();
}

TEST(Dump, ShowsForeignThreadsOnlyWhileTheyWait) {
  threading::Event event;
  std::thread foreign([&] { event.wait(); });
  EXPECT_TRUE(eventually([] { return waits_for("foreign thread", "Event"); }));
  EXPECT_FALSE(find("foreign thread")->has_object);
  EXPECT_FALSE(find("foreign thread")->ident.has_value());
  event.set();
  foreign.join();
  EXPECT_FALSE(find("foreign thread"));
}

TEST(Dump, SurvivesThreadsThatComeWaitAndGo) {
  std::atomic<bool> stop = false;
  threading::Lock lock;
  support::Bunch churn(3, [&] {
    while (!stop) {
      threading::spawn([&] { threading::With hold(lock); }).join();
    }
  });
  for (int i = 0; i < support::rounds(200); ++i) {
    std::ostringstream text;
    threading::dump(text);
    ASSERT_NE(text.str().find("MainThread"), std::string::npos);
  }
  stop = true;
  churn.join();
}

}  // namespace
