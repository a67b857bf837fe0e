// SPDX-License-Identifier: MIT
//
// How often a joiner offers its processor. Stands before the system's sched_yield().
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include <threading/thread.hpp>

#include "support/support.hpp"

namespace {

using threading::Thread;

std::atomic<int> joiner = 0;  // its id for the system, while it joins
std::atomic<int> offers = 0;  // that it made

int own_id() { return static_cast<int>(syscall(SYS_gettid)); }

}  // namespace

// As beside a third party that computes on the joiner's processor: each offer comes back late.
extern "C" int sched_yield() noexcept {
  if (joiner == own_id()) {
    ++offers;
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
    while (std::chrono::steady_clock::now() < end) continue;
  }
  return static_cast<int>(syscall(SYS_sched_yield));
}

namespace {

bool is_joiner_asleep() {
  if (joiner == 0) return false;
  std::ifstream file("/proc/self/task/" + std::to_string(joiner) + "/stat");
  std::string line;
  std::getline(file, line);
  return line.find(") S ") != std::string::npos;
}

// Joins a thread that ends when the joiner has gone to sleep, all its offers made. Returns: how many.
int offers_of_a_join() {
  offers = 0;
  Thread thread =
      threading::spawn([] { static_cast<void>(support::eventually(is_joiner_asleep, support::kShortDelay)); });
  joiner = own_id();
  thread.join();
  joiner = 0;
  return offers;
}

// One offer in sixteen is timed. Returns: whether joins stop to offer.
bool meet_a_crowd() {
  for (int left = 17; left != 0; --left) {
    const int offered = offers_of_a_join();
    if (offered == 0) return true;
    EXPECT_EQ(offered, 1) << "a joiner that has slept is woken already";
  }
  return false;
}

TEST(JoinOffers, StopBesideACrowd) { EXPECT_TRUE(meet_a_crowd()); }

}  // namespace
