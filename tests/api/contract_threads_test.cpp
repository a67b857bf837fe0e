// SPDX-License-Identifier: MIT
//
// The contract, compiled: every declaration about threads, timers, locals and tracing, used as a program would use it.
#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>

#include <threading/threading.hpp>

namespace {

using namespace std::chrono_literals;
using threading::Thread;

static_assert(std::copyable<Thread> && std::equality_comparable<Thread>);
static_assert(std::integral<threading::Ident> && std::integral<threading::NativeId>);
static_assert(std::same_as<decltype(std::declval<const Thread&>().join()), void>);
static_assert(std::same_as<decltype(std::declval<const Thread&>().join(1s)), bool>);
static_assert(std::same_as<decltype(std::declval<const Thread&>().ident()), std::optional<threading::Ident>>);
static_assert(std::same_as<decltype(std::declval<const Thread&>().native_id()), std::optional<threading::NativeId>>);
static_assert(std::derived_from<threading::Timer, Thread>);
static_assert(std::same_as<decltype(threading::enumerate()), std::vector<Thread>>);

struct Downloader : threading::Runnable {
  explicit Downloader(std::string from) : url(std::move(from)) {}
  void run() override { result = "got " + url; }
  std::string url;
  std::string result;
};
static_assert(std::derived_from<threading::ThreadOf<Downloader>, Thread>);

void add(int a, int b, int& sum) { sum = a + b; }

TEST(Contract, ThreadsAreMadeAsInPython) {
  int sum = 0;
  Thread plain(add, 1, 2, std::ref(sum));
  EXPECT_FALSE(plain.is_alive());
  EXPECT_FALSE(plain.ident().has_value());
  EXPECT_FALSE(plain.native_id().has_value());
  EXPECT_TRUE(plain.name().starts_with("Thread-"));
  plain.start();
  plain.join();
  EXPECT_EQ(sum, 3);
  EXPECT_TRUE(plain.ident().has_value());

  Thread worker({.name = "crunch", .daemon = true}, add, 3, 4, std::ref(sum));
  EXPECT_EQ(worker.name(), "crunch");
  EXPECT_TRUE(worker.daemon());
  worker.daemon(false);
  worker.name("renamed");
  worker.start();
  EXPECT_TRUE(worker.join(60s));
  EXPECT_TRUE(worker.join(threading::forever, std::stop_token{}));
  EXPECT_EQ(worker.name(), "renamed");
  EXPECT_EQ(sum, 7);
  EXPECT_THROW(worker.start(), threading::RuntimeError);
}

TEST(Contract, HandlesAreReferences) {
  Thread a([] {});
  Thread b = a;
  const Thread c = std::move(b);
  EXPECT_EQ(a, b);  // a moved-from handle still means its thread
  EXPECT_EQ(a, c);
  EXPECT_EQ(std::hash<Thread>()(a), std::hash<Thread>()(c));
  const std::unordered_set<Thread> all{a, b, c};
  EXPECT_EQ(all.size(), 1u);
  EXPECT_NE(a, threading::main_thread());
  a.start();
  c.join();
  EXPECT_FALSE(b.is_alive());
}

TEST(Contract, TheBodyOfAThreadOfLivesInTheThread) {
  threading::ThreadOf<Downloader> with_options({.name = "dl"}, "x");
  with_options.start();
  with_options.join();
  EXPECT_EQ(with_options->result, "got x");
  EXPECT_EQ(with_options.name(), "dl");
  threading::ThreadOf<Downloader> without(std::string("y"));
  without.start();
  without.join();
  EXPECT_EQ((*without).result, "got y");
}

TEST(Contract, SpawnStartsAndJoiningStops) {
  bool ran = false;
  threading::spawn([&] { ran = true; }).join();
  EXPECT_TRUE(ran);
  Thread named = threading::spawn(
      {.name = "named"}, [](int) {}, 1);
  named.join();
  EXPECT_EQ(named.name(), "named");
  bool stopped = false;
  {
    threading::Joining joining(threading::spawn([&](std::stop_token stop) {
      threading::Event never;
      never.wait(threading::forever, stop);
      stopped = stop.stop_requested();
    }));
  }
  EXPECT_TRUE(stopped);
}

TEST(Contract, AThreadKnowsItself) {
  Thread self = threading::current_thread();
  Thread seen = self;
  threading::Ident ident{};
  threading::NativeId native{};
  Thread worker = threading::spawn([&] {
    seen = threading::current_thread();
    ident = threading::get_ident();
    native = threading::get_native_id();
  });
  worker.join();
  EXPECT_EQ(seen, worker);
  EXPECT_EQ(worker.ident(), ident);
  EXPECT_EQ(worker.native_id(), native);
  EXPECT_NE(ident, threading::get_ident());
  EXPECT_EQ(self, threading::main_thread());
  EXPECT_EQ(threading::enumerate().size(), threading::active_count());
  EXPECT_EQ(threading::main_thread().name(), "MainThread");
}

TEST(Contract, AnExceptionIsKeptAndReported) {
  std::string text;
  const threading::ExceptHook before = threading::set_excepthook([&](const threading::ExceptHookArgs& args) {
    try {
      std::rethrow_exception(args.exception);
    } catch (const std::exception& error) {
      text = args.thread.name() + ": " + error.what();
    }
  });
  Thread failing({.name = "failing"}, [] { throw std::runtime_error("no"); });
  failing.start();
  failing.join();
  threading::set_excepthook(before);
  EXPECT_EQ(text, "failing: no");
  EXPECT_THROW(std::rethrow_exception(failing.exception()), std::runtime_error);
  EXPECT_FALSE(threading::spawn([] {}).exception());
}

TEST(Contract, StackSizesAreRememberedAndChecked) {
  const std::size_t before = threading::stack_size();
  EXPECT_EQ(threading::stack_size(262144), before);
  EXPECT_EQ(threading::stack_size(before), 262144u);
  EXPECT_THROW(threading::stack_size(4096), threading::ValueError);
  EXPECT_THROW(threading::stack_size(static_cast<std::size_t>(-1)), threading::ValueError);
  EXPECT_THROW(Thread({.stack_size = 1}, [] {}), threading::ValueError);
  EXPECT_EQ(threading::stack_size(), before);
}

TEST(Contract, TimersAreThreads) {
  threading::Event rung;
  threading::Timer timer(
      0.01, [&](threading::Event& event) { event.set(); }, std::ref(rung));
  timer.name("bell");
  timer.start();
  EXPECT_TRUE(rung.wait(60s));
  timer.join();
  threading::Timer never(1h, [] {});
  never.start();
  EXPECT_TRUE(never.is_alive());
  EXPECT_TRUE(never.ident().has_value());
  EXPECT_FALSE(never.native_id().has_value());
  never.cancel();
  EXPECT_TRUE(never.join(60s));
}

TEST(Contract, LocalsAreTypedOrBags) {
  threading::local<int> number;
  *number = 5;
  threading::local<std::unique_ptr<std::string>> text([] { return std::make_unique<std::string>("made"); });
  EXPECT_EQ(**text, "made");
  EXPECT_EQ(text->get()->size(), 4u);
  threading::local<threading::Lock> lock;  // neither copied nor moved
  EXPECT_FALSE(lock.get().locked());

  threading::local<> mydata;
  mydata["x"] = 1;
  EXPECT_EQ(mydata.get<int>("x"), 1);
  EXPECT_THROW(mydata.get<std::string>("x"), std::bad_any_cast);
  EXPECT_TRUE(mydata.contains("x"));
  threading::spawn([&] {
    EXPECT_EQ(*number, 0);
    EXPECT_FALSE(mydata.contains("x"));
    EXPECT_THROW(mydata.get<int>("x"), threading::AttributeError);
    EXPECT_THROW(mydata.erase("x"), threading::AttributeError);
  }).join();
  mydata.erase("x");
  EXPECT_FALSE(mydata.contains("x"));
  EXPECT_EQ(*number, 5);
}

TEST(Contract, TracingIsSetAndGot) {
  int events = 0;
  EXPECT_FALSE(threading::gettrace());
  EXPECT_FALSE(threading::getprofile());
  threading::settrace([&](const threading::TraceEvent& event) { events += event.kind == threading::TraceEvent::call; });
  threading::setprofile([](const threading::TraceEvent&) {});
  EXPECT_TRUE(threading::gettrace());
  EXPECT_TRUE(threading::getprofile());
  threading::spawn([] {}).join();
  threading::settrace({});
  threading::setprofile({});
  threading::settrace_all_threads({});
  threading::setprofile_all_threads({});
  threading::sys::settrace({});
  threading::sys::setprofile({});
  EXPECT_FALSE(threading::gettrace());
}

TEST(Contract, ADumpNamesEveryThread) {
  threading::Event go;
  Thread waiting({.name = "sleeper"}, [&] { go.wait(); });
  waiting.start();
  std::string text;
  do {
    std::ostringstream out;
    threading::dump(out);
    text = out.str();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  } while (text.find("Event") == std::string::npos);
  EXPECT_NE(text.find("sleeper"), std::string::npos);
  EXPECT_NE(text.find("MainThread"), std::string::npos);
  EXPECT_GE(threading::snapshot().size(), 2u);
  go.set();
  waiting.join();
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
TEST(Contract, ThePython2SpellingsLive) {
  Thread thread = threading::currentThread();
  EXPECT_EQ(thread.getName(), "MainThread");
  EXPECT_FALSE(thread.isDaemon());
  EXPECT_GE(threading::activeCount(), 1u);
  Thread other([] {});
  other.setName("old");
  other.setDaemon(true);
  EXPECT_TRUE(other.daemon());
  threading::Event event;
  EXPECT_FALSE(event.isSet());
  threading::Condition condition;
  const threading::With hold(condition);
  condition.notifyAll();
}
#pragma GCC diagnostic pop

}  // namespace
