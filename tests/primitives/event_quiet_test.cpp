// SPDX-License-Identifier: MIT
//
// Events that are set so often that set() only looks.
#include <signal.h>

#include <threading/embedding.hpp>
#include <threading/event.hpp>

#include "support/lot.hpp"
#include "support/refuse_membarrier.hpp"
#include "support/sanitizers.hpp"
#include "support/support.hpp"

namespace {

using namespace support;
using namespace threading;
namespace backend = threading::detail::backend;
using detail::kEventFencer;
using detail::kEventFencers;
using detail::kEventLooked;
using detail::kEventOften;
using detail::kEventOnce;
using detail::kEventQuiet;
using detail::kEventSet;

constexpr std::uint32_t kIsQuiet = kEventQuiet | kEventLooked;
// The set() after so many makes it quiet.
constexpr int kWrites = kEventOften / kEventOnce;
static_assert(kWrites == 4096);

#define NEEDS_FENCES()                                    \
  if (kHasThreadSanitizer || !backend::has_heavy_fence()) \
  GTEST_SKIP() << "this kernel has no membarrier(), or it is hidden from the thread sanitizer"

class QuietEventTest : public testing::Test {
 protected:
  std::atomic<std::uint32_t>& word() { return reinterpret_cast<std::atomic<std::uint32_t>&>(event_); }
  void set_times(int count) {
    for (int i = 0; i < count; ++i) event_.set();
  }
  void make_quiet() {
    set_times(kWrites + 1);
    ASSERT_EQ(word(), kIsQuiet);
  }

  Event event_;
};

TEST_F(QuietEventTest, IsQuietOnceItWasSetOften) {
  NEEDS_FENCES();
  for (int i = 1; i <= kWrites; ++i) {
    event_.set();
    ASSERT_EQ(word(), kEventSet + static_cast<std::uint32_t>(i) * kEventOnce);
  }
  event_.set();
  EXPECT_EQ(word(), kIsQuiet);
  event_.set();
  EXPECT_EQ(word(), kIsQuiet);
  EXPECT_TRUE(event_.is_set());
  EXPECT_TRUE(event_.wait());
  EXPECT_TRUE(event_.wait(no_wait));
}

TEST_F(QuietEventTest, IsClearAfterAClear) {
  NEEDS_FENCES();
  for (int i = 0; i < 3; ++i) {
    make_quiet();
    event_.clear();
    EXPECT_EQ(word(), 0u);
    EXPECT_FALSE(event_.wait(no_wait));
  }
}

TEST_F(QuietEventTest, CountsAnewWhenItWasClear) {
  for (int i = 0; i < 3; ++i) {
    set_times(kWrites);
    EXPECT_EQ(word(), kEventSet + kEventOften);
    event_.clear();
    EXPECT_EQ(word(), 0u);
  }
}

TEST_F(QuietEventTest, WakesWhoWaitsWhenItWasCleared) {
  NEEDS_FENCES();
  make_quiet();
  event_.clear();
  Bunch waiter;
  waiter.add([&] { EXPECT_TRUE(event_.wait(kLongDelay)); });
  ASSERT_TRUE(eventually([&] { return waiters(event_) == 1; }));
  make_quiet();
}

TEST_F(QuietEventTest, IsClearInAHandlerThatClearsIt) {
  NEEDS_FENCES();
  static Event* interrupted;
  interrupted = &event_;
  struct sigaction before {};
  struct sigaction action {};
  action.sa_handler = [](int) {
    interrupted->clear();
    interrupted->set();
  };
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  make_quiet();
  EXPECT_EQ(raise(SIGUSR1), 0);
  EXPECT_EQ(word(), kEventSet + kEventOnce);
  ASSERT_EQ(sigaction(SIGUSR1, &before, nullptr), 0);
}

TEST_F(QuietEventTest, IsNeverQuietWithoutFences) {
  NEEDS_FENCES();
  constexpr int kNoFilters = 42;
  const ChildResult result = run_child([this] {
    make_quiet();
    if (!refuse_membarrier()) std::exit(kNoFilters);
    // This is what finds out, and the last event that needs one.
    event_.clear();
    EXPECT_FALSE(backend::has_heavy_fence());
    for (int i = 0; i < 10 * kWrites; ++i) {
      event_.set();
      EXPECT_EQ(word() & ~(kEventOften + kEventOften - kEventOnce), kEventSet) << "after " << i;
    }
    event_.clear();
    EXPECT_EQ(word(), 0u);
  });
  if (result.ending == exited(kNoFilters)) GTEST_SKIP() << "no filters for system calls here";
  EXPECT_EQ(result.ending, exited(0)) << result.err;
}

TEST_F(QuietEventTest, MayBeClearedInAForkedChild) {
  NEEDS_FENCES();
  make_quiet();
  expect_child(exited(0), "", [this] {
    event_.clear();
    EXPECT_EQ(word(), 0u);
    make_quiet();
  });
}

TEST_F(QuietEventTest, IsClearWhenItIsResetAfterFork) {
  NEEDS_FENCES();
  make_quiet();
  Embedding::reset_after_fork(event_);
  EXPECT_EQ(word(), 0u);
  make_quiet();
}

// The rest as if another thread were between its two exchanges around the fence.

TEST_F(QuietEventTest, IsSetUntilAClearHasFenced) {
  NEEDS_FENCES();
  word() = kEventLooked | kEventFencer;
  EXPECT_TRUE(event_.is_set());
  EXPECT_TRUE(event_.wait(no_wait));
  set_times(2 * kWrites);
  EXPECT_EQ(word(), kEventLooked | kEventFencer);
  // This one fences, too, and is the first to have done so.
  event_.clear();
  EXPECT_EQ(word(), kEventFencer);
  EXPECT_FALSE(event_.is_set());
}

TEST_F(QuietEventTest, IsNotQuietBesideAClearThatFences) {
  NEEDS_FENCES();
  word() = kEventFencer;
  set_times(10 * kWrites);
  EXPECT_EQ(word() & ~(kEventOften + kEventOften - kEventOnce), kEventFencer + kEventSet);
  event_.clear();
  EXPECT_EQ(word(), kEventFencer);
  word() = 0;
  make_quiet();
}

TEST_F(QuietEventTest, LetsGoWhoWaitsBesideAClearThatFences) {
  word() = kEventFencer;
  Bunch waiter;
  waiter.add([&] { EXPECT_TRUE(event_.wait(kLongDelay)); });
  ASSERT_TRUE(eventually([&] { return waiters(event_) == 1; }));
  event_.clear();
  event_.set();
  waiter.join();
  EXPECT_EQ(word(), kEventFencer + kEventSet + kEventOnce);
  event_.clear();
  EXPECT_FALSE(event_.wait(std::chrono::milliseconds(1)));
  EXPECT_EQ(word(), kEventFencer);
}

TEST_F(QuietEventTest, IsNeverQuietAgainAfterMoreFencesThanItCanCount) {
  NEEDS_FENCES();
  word() = kEventLooked | (kEventFencers - 2 * kEventFencer);
  event_.clear();
  EXPECT_EQ(word(), kEventFencers - 2 * kEventFencer) << "one came, and went";
  word() = kEventLooked | (kEventFencers - kEventFencer);
  event_.clear();
  EXPECT_EQ(word(), kEventFencers) << "the last one stays";
  event_.set();
  event_.clear();
  word() = kEventLooked | kEventFencers;
  event_.clear();
  EXPECT_EQ(word(), kEventFencers);
  set_times(10 * kWrites);
  EXPECT_EQ(word() & ~(kEventOften + kEventOften - kEventOnce), kEventFencers + kEventSet);
  event_.clear();
  EXPECT_EQ(word(), kEventFencers);
}

}  // namespace
