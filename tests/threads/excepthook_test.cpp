// SPDX-License-Identifier: MIT
//
// Exceptions that leave run().
#include <threading/thread.hpp>

#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include <threading/event.hpp>

#include "support/support.hpp"

namespace {

using threading::ExceptHookArgs;
using threading::Thread;

// Sets a hook for a scope.
class Hooked {
 public:
  explicit Hooked(threading::ExceptHook hook) : before_(threading::set_excepthook(std::move(hook))) {}
  ~Hooked() { threading::set_excepthook(before_); }
  Hooked(const Hooked&) = delete;
  Hooked& operator=(const Hooked&) = delete;

 private:
  threading::ExceptHook before_;
};

std::string text_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return error.what();
  } catch (const int number) {
    return std::to_string(number);
  }
}

struct Mute : std::exception {
  const char* what() const noexcept override { return nullptr; }
};

TEST(ExceptHook, RunsInTheFailingThreadWhileItIsAlive) {
  bool in_thread = false;
  bool was_alive = false;
  Thread failing([] { throw std::runtime_error("gone wrong"); });
  const Hooked hooked([&](const ExceptHookArgs& args) {
    in_thread = threading::current_thread() == args.thread && args.thread == failing;
    was_alive = args.thread.is_alive();
  });
  failing.start();
  failing.join();
  EXPECT_TRUE(in_thread);
  EXPECT_TRUE(was_alive);
  EXPECT_EQ(text_of(failing.exception()), "gone wrong");
}

TEST(ExceptHook, SettingReturnsTheOneBefore) {
  const auto hook = [](const ExceptHookArgs&) {};
  EXPECT_FALSE(threading::set_excepthook(hook));
  EXPECT_TRUE(threading::set_excepthook({}));
  EXPECT_FALSE(threading::set_excepthook({}));
}

// What `body` makes the library say on stderr.
template <class Body>
std::string said_by(Body body) {
  testing::internal::CaptureStderr();
  body();
  return testing::internal::GetCapturedStderr();
}

TEST(ExceptHook, TheDefaultNamesThreadTypeAndText) {
  EXPECT_EQ(
      said_by([] { threading::spawn({.name = "crunch"}, [] { throw std::runtime_error("no such table"); }).join(); }),
      "Exception in thread crunch:\nstd::runtime_error: no such table\n");
  EXPECT_EQ(said_by([] { threading::spawn({.name = "crunch"}, [] { throw 42; }).join(); }),
            "Exception in thread crunch:\nint\n");
}

TEST(ExceptHook, TheDefaultBearsAnExceptionWithoutAText) {
  EXPECT_EQ(said_by([] { threading::spawn({.name = "crunch"}, [] { throw Mute(); }).join(); }),
            "Exception in thread crunch:\n(anonymous namespace)::Mute: \n");
}

TEST(ExceptHook, OneThatThrowsIsReportedWithTheFirstExceptionAndTheProcessLives) {
  const Hooked hooked([](const ExceptHookArgs&) { throw std::logic_error("second"); });
  std::exception_ptr kept;
  const std::string said = said_by([&] {
    Thread thread = threading::spawn({.name = "bad"}, [] { throw std::runtime_error("first"); });
    thread.join();
    kept = thread.exception();
  });
  EXPECT_EQ(said,
            "Exception in threading.excepthook for thread bad:\nstd::logic_error: second\n"
            "Exception in thread bad:\nstd::runtime_error: first\n");
  EXPECT_EQ(text_of(kept), "first");
}

TEST(ExceptHook, MayBeCalledByAnyone) {
  std::string seen;
  const Hooked hooked([&](const ExceptHookArgs& args) { seen = text_of(args.exception); });
  threading::excepthook({std::make_exception_ptr(7), threading::current_thread()});
  EXPECT_EQ(seen, "7");
}

TEST(ExceptHook, AReplacedHookLivesUntilItsLastCallHasReturned) {
  auto witness = std::make_shared<int>(1);
  const std::weak_ptr<int> gone = witness;
  threading::Event entered;
  threading::Event go;
  threading::set_excepthook([&, witness = std::move(witness)](const ExceptHookArgs&) {
    entered.set();
    go.wait();
    EXPECT_EQ(*witness, 1);
  });
  Thread thread = threading::spawn([] { throw 1; });
  entered.wait();
  threading::set_excepthook({});
  EXPECT_FALSE(gone.expired());
  go.set();
  thread.join();
  EXPECT_TRUE(gone.expired());
}

TEST(Exception, IsNullWhileTheThreadRunsAndWhenNothingWasThrown) {
  threading::Event go;
  Thread thread = threading::spawn([&] { go.wait(); });
  EXPECT_FALSE(thread.exception());
  go.set();
  thread.join();
  EXPECT_FALSE(thread.exception());
}

}  // namespace
