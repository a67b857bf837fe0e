// SPDX-License-Identifier: MIT
//
// Values that belong to a thread and to a local, and end with whichever ends first.
#include <threading/local.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/thread.hpp>
#include <threading/with.hpp>

#include "support/errors.hpp"
#include "support/support.hpp"

namespace {

using support::expect_error;
using threading::Event;
using threading::local;

std::atomic<int> alive = 0;

struct Counted {
  Counted() { ++alive; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --alive; }
  int value = 0;
};

TEST(Local, TakesConstValues) {
  local<const int> number([] { return 7; });
  EXPECT_EQ(*number, 7);
  EXPECT_EQ(&*number, &*number);
}

TEST(Local, EachThreadHasItsOwnValueMadeOnFirstUse) {
  std::atomic<int> made = 0;
  local<int> number([&] { return ++made; });
  EXPECT_EQ(made, 0);
  EXPECT_EQ(*number, 1);
  *number = 100;
  support::Bunch(4, [&] {
    EXPECT_LE(*number, 5);
    *number += 1000;
    EXPECT_GT(*number, 1000);
  }).join();
  EXPECT_EQ(*number, 100);
  EXPECT_EQ(made, 5);
}

TEST(Local, ValuesEndWithTheirThread) {
  alive = 0;
  local<Counted> counted;
  support::Bunch(3, [&] { counted->value = 1; }).join();
  EXPECT_EQ(alive, 0);
  counted.get();
  EXPECT_EQ(alive, 1);
}

TEST(Local, ValuesOfAllThreadsEndWithTheLocal) {
  alive = 0;
  std::optional<local<Counted>> counted(std::in_place);
  Event used[3];
  Event go;
  support::Bunch bunch(3, [&](int index) {
    (*counted)->value = index;
    used[index].set();
    go.wait();
  });
  for (Event& event : used) event.wait();
  EXPECT_EQ(alive, 3);
  counted.reset();
  EXPECT_EQ(alive, 0);
  go.set();
  bunch.join();
  EXPECT_EQ(alive, 0);
}

TEST(Local, ANewLocalAtAnOldPlaceSeesNoOldValue) {
  for (int i = 0; i < 100; ++i) {
    local<int> number;
    EXPECT_EQ(*number, 0);
    *number = 7;
  }
}

TEST(Local, ManyLocalsAreKeptApart) {
  std::vector<std::unique_ptr<local<int>>> locals;
  for (int i = 0; i < 500; ++i) locals.push_back(std::make_unique<local<int>>());
  threading::spawn([&] {
    for (int i = 0; i < 500; ++i) **locals[static_cast<std::size_t>(i)] = i;
    for (int i = 0; i < 500; ++i) ASSERT_EQ(**locals[static_cast<std::size_t>(i)], i);
  }).join();
  EXPECT_EQ(**locals[499], 0);
}

TEST(Local, ATypeThatCanBeNeitherCopiedNorMovedWorksWithAndWithoutAFactory) {
  local<threading::Lock> plain;
  local<threading::Lock> made([] { return threading::Lock(); });
  threading::With hold(*plain);
  threading::With hold_too(made.get());
  EXPECT_TRUE(plain->locked());
}

TEST(Local, AFactoryThatThrowsIsTriedAgain) {
  int calls = 0;
  local<int> number([&]() -> int {
    if (++calls == 1) throw std::runtime_error("not yet");
    return calls;
  });
  EXPECT_THROW(number.get(), std::runtime_error);
  EXPECT_EQ(*number, 2);
}

TEST(Local, AFactoryMayUseOtherLocals) {
  local<int> inner([] { return 21; });
  local<int> outer([&] { return 2 * *inner; });
  EXPECT_EQ(*outer, 42);
}

// A destructor of a value uses its own local and another one, and locks: all of it must work, and nothing may leak.
struct Chatty {
  explicit Chatty(local<int>& other) : other_(other) { ++alive; }
  Chatty(const Chatty&) = delete;
  Chatty& operator=(const Chatty&) = delete;
  ~Chatty() {
    ++*other_;
    threading::Lock lock;
    threading::With hold(lock);
    EXPECT_FALSE(threading::current_thread().name().empty());
    --alive;
  }
  local<int>& other_;
};

TEST(Local, DestructorsOfValuesMayUseTheLibraryAndOtherLocals) {
  alive = 0;
  local<int> number;
  local<Chatty> chatty([&] { return Chatty(number); });
  threading::spawn([&] { chatty.get(); }).join();
  EXPECT_EQ(alive, 0);
}

// A value whose constructor and destructor may ask for this thread's value of the very local that it is of.
struct AsksForItself : Counted {
  AsksForItself() {
    if (std::exchange(asks_when_made, false)) (*where)->value = 7;
  }
  ~AsksForItself() {
    if (!std::exchange(asks_when_destroyed, false)) return;
    EXPECT_NE(&where->get(), this);
    EXPECT_EQ((*where)->value, 0);
  }
  static inline local<AsksForItself>* where = nullptr;
  static inline bool asks_when_made = false;
  static inline bool asks_when_destroyed = false;
};

TEST(Local, AValueMayAskForItsOwnLocal) {
  alive = 0;
  local<AsksForItself> asking;
  AsksForItself::where = &asking;
  AsksForItself::asks_when_made = true;
  support::Bunch bunch;
  bunch.add([&] {
    EXPECT_EQ(asking->value, 7) << "the one that the constructor asked for is this thread's";
    EXPECT_EQ(alive, 1);
    AsksForItself::asks_when_destroyed = true;
  });
  bunch.join();
  EXPECT_FALSE(AsksForItself::asks_when_destroyed);
  EXPECT_EQ(alive, 0);
}

TEST(Local, IsUsableInThreadLocalDestructors) {
  static std::atomic<int> seen;
  static local<int>* number;
  local<int> here([] { return 5; });
  number = &here;
  struct AtEnd {
    ~AtEnd() { seen = **number; }
  };
  threading::spawn([] {
    static thread_local AtEnd at_end;
    static_cast<void>(&at_end);
    **number = 6;
  }).join();
  EXPECT_EQ(seen, 6) << "values outlive the thread-local objects of C++";
}

TEST(Local, ThreadsAndLocalsEndAtTheSameTime) {
  alive = 0;
  for (int round = 0; round < support::rounds(300); ++round) {
    std::optional<local<Counted>> counted(std::in_place);
    std::atomic<int> used = 0;
    std::vector<threading::Thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.push_back(threading::spawn([&] {
        (*counted)->value = 1;
        ++used;
      }));
    }
    ASSERT_TRUE(support::eventually([&] { return used == 3; }));
    counted.reset();
    for (const threading::Thread& thread : threads) thread.join();
    ASSERT_EQ(alive, 0);
  }
}

TEST(Bag, KeepsAttributesPerThread) {
  local<> mydata;
  mydata["x"] = 1;
  mydata["name"] = std::string("main's");
  EXPECT_EQ(mydata.get<int>("x"), 1);
  mydata.get<int>("x") += 1;
  EXPECT_EQ(mydata["x"].get<int>(), 2);
  threading::spawn([&] {
    EXPECT_FALSE(mydata.contains("x"));
    expect_error<threading::AttributeError>("'_thread._local' object has no attribute 'x'",
                                            [&] { mydata.get<int>("x"); });
    expect_error<threading::AttributeError>("'_thread._local' object has no attribute 'x'", [&] { mydata.erase("x"); });
    mydata["x"] = std::string("text");
    EXPECT_EQ(mydata.get<std::string>("x"), "text");
    EXPECT_THROW(mydata.get<int>("x"), std::bad_any_cast);
  }).join();
  EXPECT_EQ(mydata.get<std::string>("name"), "main's");
  mydata.erase("name");
  EXPECT_FALSE(mydata.contains("name"));
}

}  // namespace
