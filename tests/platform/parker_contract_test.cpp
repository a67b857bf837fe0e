// SPDX-License-Identifier: MIT
//
// The contract of parker.hpp, run on every implementation, whichever the library uses.
#include "platform/parker.hpp"

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>

#include <threading/detail/deadline.hpp>

#include "support/support.hpp"

namespace {

using namespace support;
using namespace threading;
using platform::CondvarParker;
using platform::FutexParker;
using platform::ParkerOutcome;

std::int64_t nanoseconds(std::chrono::nanoseconds delay) { return delay.count(); }

template <class P>
class ParkerContract : public testing::Test {
 protected:
  P parker_;
};

using Parkers = testing::Types<FutexParker, CondvarParker>;
struct Names {
  template <class P>
  static std::string GetName(int) {
    return std::is_same_v<P, FutexParker> ? "Futex" : "Condvar";
  }
};
TYPED_TEST_SUITE(ParkerContract, Parkers, Names);

TYPED_TEST(ParkerContract, IsNotWokenAfterPrepare) {
  this->parker_.prepare();
  EXPECT_FALSE(this->parker_.is_woken());
}

// A wake that comes before the sleep is not lost.
TYPED_TEST(ParkerContract, ParkReturnsAtOnceWhenUnparkedBefore) {
  this->parker_.prepare();
  this->parker_.unpark();
  EXPECT_TRUE(this->parker_.is_woken());
  EXPECT_EQ(this->parker_.park(Deadline::never(), false), ParkerOutcome::woken);
}

// `woken` is final: it is told again and again, and even a deadline that has passed does not hide it.
TYPED_TEST(ParkerContract, StaysWokenUntilPreparedAgain) {
  this->parker_.prepare();
  this->parker_.unpark();
  EXPECT_EQ(this->parker_.park(Deadline::passed(), false), ParkerOutcome::woken);
  EXPECT_EQ(this->parker_.park(Deadline::at(1), true), ParkerOutcome::woken);
  EXPECT_EQ(this->parker_.park(Deadline::never(), false), ParkerOutcome::woken);
  this->parker_.prepare();
  EXPECT_FALSE(this->parker_.is_woken());
  EXPECT_EQ(this->parker_.park(Deadline::passed(), false), ParkerOutcome::timed_out);
}

TYPED_TEST(ParkerContract, UnparkEndsASleep) {
  this->parker_.prepare();
  std::atomic<bool> about_to_sleep{false};
  Bunch waker;
  waker.add([&] {
    while (!about_to_sleep) std::this_thread::yield();
    this->parker_.unpark();
  });
  about_to_sleep = true;
  EXPECT_EQ(this->parker_.park(Deadline::never(), false), ParkerOutcome::woken);
}

TYPED_TEST(ParkerContract, NeverTimesOutEarly) {
  for (const std::int64_t delay : {1L, 1'000L, 50'000L, 1'000'000L, 20'000'000L}) {
    this->parker_.prepare();
    const Deadline deadline = Deadline::after(delay);
    EXPECT_EQ(this->parker_.park(deadline, false), ParkerOutcome::timed_out);
    EXPECT_GE(detail::backend::monotonic_now(), deadline.nanoseconds()) << delay;
  }
}

// Deadlines before the clock's start, and the one that says "already", do not reach the system in a form it refuses.
TYPED_TEST(ParkerContract, TimesOutAtOnceWhenTheDeadlineHasPassed) {
  this->parker_.prepare();
  for (const Deadline deadline : {Deadline::passed(), Deadline::at(-5), Deadline::at(0), Deadline::at(1)}) {
    EXPECT_EQ(this->parker_.park(deadline, false), ParkerOutcome::timed_out);
  }
}

// The farthest deadline that is not "never" is a wait like any other.
TYPED_TEST(ParkerContract, SleepsUntilAFarDeadline) {
  this->parker_.prepare();
  Bunch waker;
  waker.add([&] { this->parker_.unpark(); });
  EXPECT_EQ(this->parker_.park(Deadline::at(INT64_MAX - 1), false), ParkerOutcome::woken);
}

TYPED_TEST(ParkerContract, MayParkAgainAfterATimeout) {
  this->parker_.prepare();
  EXPECT_EQ(this->parker_.park(Deadline::after(nanoseconds(kShortDelay)), false), ParkerOutcome::timed_out);
  Bunch waker;
  waker.add([&] { this->parker_.unpark(); });
  EXPECT_EQ(this->parker_.park(Deadline::never(), false), ParkerOutcome::woken);
}

// What the waker wrote before unpark() is there after the wake, by is_woken() as well as by park(). (A race detector
// looks at the plain integer.)
TYPED_TEST(ParkerContract, MakesTheWakersWritesVisible) {
  for (int round = 0; round < rounds(2'000); ++round) {
    TypeParam parker;
    parker.prepare();
    int written = 0;
    Bunch waker;
    waker.add([&] {
      written = round + 1;
      parker.unpark();
    });
    if (round % 2 == 0) {
      while (!parker.is_woken()) std::this_thread::yield();
    } else {
      ASSERT_EQ(parker.park(Deadline::never(), false), ParkerOutcome::woken);
    }
    ASSERT_EQ(written, round + 1);
  }
}

// The owner may destroy the parker as soon as park() has returned, whatever the waker still does.
TYPED_TEST(ParkerContract, MayBeDestroyedAsSoonAsItIsWoken) {
  std::atomic<TypeParam*> shared{nullptr};
  const int count = rounds(20'000);
  Bunch waker;
  waker.add([&] {
    for (int i = 0; i < count; ++i) {
      TypeParam* parker = nullptr;
      while ((parker = shared.exchange(nullptr)) == nullptr) std::this_thread::yield();
      parker->unpark();
    }
  });
  for (int i = 0; i < count; ++i) {
    auto parker = std::make_unique<TypeParam>();
    parker->prepare();
    shared = parker.get();
    ASSERT_EQ(parker->park(Deadline::never(), false), ParkerOutcome::woken);
  }
}

// A wake and a deadline at the same moment: either may win, but a wake that lost is found by the next look.
TYPED_TEST(ParkerContract, LosesNoWakeToATimeout) {
  for (int round = 0; round < rounds(3'000); ++round) {
    TypeParam parker;
    parker.prepare();
    Bunch waker;
    waker.add([&] { parker.unpark(); });
    if (parker.park(Deadline::after(round * 100), false) == ParkerOutcome::timed_out) {
      ASSERT_EQ(parker.park(Deadline::never(), false), ParkerOutcome::woken);
    }
  }
}

std::atomic<int> signals_seen{0};

// Counts SIGUSR1 while it lives. Without SA_RESTART, so that system calls return.
class CountSignals {
 public:
  CountSignals() {
    signals_seen = 0;
    struct sigaction action = {};
    action.sa_handler = [](int) { ++signals_seen; };
    sigaction(SIGUSR1, &action, &before_);
  }
  CountSignals(const CountSignals&) = delete;
  CountSignals& operator=(const CountSignals&) = delete;
  ~CountSignals() { sigaction(SIGUSR1, &before_, nullptr); }

 private:
  struct sigaction before_ = {};
};

// A signal handler that runs on the sleeping thread does not end the sleep unless asked for.
TYPED_TEST(ParkerContract, SleepsThroughSignals) {
  const CountSignals counting;
  this->parker_.prepare();
  std::atomic<bool> returned{false};
  std::atomic<pthread_t> sleeper{};
  std::atomic<bool> known{false};
  Bunch bunch;
  bunch.add([&] {
    sleeper = pthread_self();
    known = true;
    EXPECT_EQ(this->parker_.park(Deadline::never(), false), ParkerOutcome::woken);
    returned = true;
  });
  ASSERT_TRUE(eventually([&] { return known.load(); }));
  for (int i = 1; i <= 20; ++i) {
    // Again and again: the thread sanitizer keeps back what comes just before a system call that it does not know.
    ASSERT_TRUE(eventually([&] { return pthread_kill(sleeper, SIGUSR1), signals_seen >= i; }));
  }
  EXPECT_FALSE(returned);
  this->parker_.unpark();
}

// Signals do not shorten a timeout either.
TYPED_TEST(ParkerContract, NeverTimesOutEarlyUnderSignals) {
  const CountSignals counting;
  const pthread_t self = pthread_self();
  std::atomic<bool> done{false};
  Bunch bunch;
  bunch.add([&] {
    while (!done) {
      pthread_kill(self, SIGUSR1);
      std::this_thread::yield();
    }
  });
  this->parker_.prepare();
  const Deadline deadline = Deadline::after(nanoseconds(kShortDelay));
  EXPECT_EQ(this->parker_.park(deadline, false), ParkerOutcome::timed_out);
  EXPECT_GE(detail::backend::monotonic_now(), deadline.nanoseconds());
  done = true;
}

// A thread that is cancelled while it sleeps sleeps on: an unwinding from here would leave its waiter in a queue.
TYPED_TEST(ParkerContract, IsNoCancellationPoint) {
  this->parker_.prepare();
  std::atomic<pthread_t> sleeper{};
  std::atomic<bool> known{false};
  std::atomic<bool> woken{false};
  Bunch bunch;
  bunch.add([&] {
    sleeper = pthread_self();
    known = true;
    const ParkerOutcome outcome = this->parker_.park(Deadline::never(), false);
    int ignored = 0;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &ignored);  // for the rest of the thread
    woken = outcome == ParkerOutcome::woken;
  });
  ASSERT_TRUE(eventually([&] { return known.load(); }));
  pthread_cancel(sleeper);
  EXPECT_FALSE(eventually([&] { return woken.load(); }, kShortDelay));
  this->parker_.unpark();
  bunch.join();
  EXPECT_TRUE(woken);
}

// Only the futex parker can tell that a handler ran.
TEST(FutexParker, ReportsASignalWhenAskedTo) {
  const CountSignals counting;
  FutexParker parker;
  parker.prepare();
  std::atomic<pthread_t> sleeper{};
  std::atomic<bool> known{false};
  std::atomic<bool> interrupted{false};
  Bunch bunch;
  bunch.add([&] {
    sleeper = pthread_self();
    known = true;
    EXPECT_EQ(parker.park(Deadline::never(), true), ParkerOutcome::interrupted);
    interrupted = true;
    EXPECT_EQ(parker.park(Deadline::never(), false), ParkerOutcome::woken);  // and it may sleep on
  });
  ASSERT_TRUE(eventually([&] { return known.load(); }));
  // A signal that comes before the sleep is not reported: send until one is.
  EXPECT_TRUE(eventually([&] {
    if (!interrupted) pthread_kill(sleeper, SIGUSR1);
    return interrupted.load();
  }));
  parker.unpark();
}

}  // namespace
