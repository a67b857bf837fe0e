// SPDX-License-Identifier: MIT
//
// One registration with the system serves all rooms, in their order.
#include "platform/fork.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <iostream>
#include <string>

#include "support/support.hpp"

namespace {

using namespace support;
using threading::platform::ForkHandlers;
using threading::platform::ForkRoom;
using threading::platform::on_fork;

std::string calls;

template <char Room>
constexpr ForkHandlers noting() {
  return {.prepare =
              []() noexcept {
                calls += {'p', Room, ' '};
              },
          .parent =
              []() noexcept {
                calls += {'a', Room, ' '};
              },
          .child =
              []() noexcept {
                calls += {'c', Room, ' '};
              }};
}

void clear_all() {
  for (const ForkRoom room : {ForkRoom::threads, ForkRoom::timer, ForkRoom::trace, ForkRoom::embedder})
    on_fork(room, {});
  calls.clear();
}

// Locks are taken from the top down, as the lock order says, and things are put right from the bottom up.
TEST(Fork, PreparesDownwardsAndRestoresUpwards) {
  clear_all();
  on_fork(ForkRoom::timer, noting<'t'>());
  on_fork(ForkRoom::threads, noting<'h'>());
  on_fork(ForkRoom::embedder, noting<'e'>());
  const ChildResult child = run_child([] { std::cout << calls; });
  EXPECT_EQ(child.out, "pe pt ph ch ct ce ");
  EXPECT_EQ(calls, "pe pt ph ah at ae ");
  clear_all();
}

TEST(Fork, AllowsEveryHandlerToBeMissing) {
  clear_all();
  on_fork(ForkRoom::trace, {.child = []() noexcept { calls += "child"; }});
  const ChildResult child = run_child([] { std::cout << calls; });
  EXPECT_EQ(child.ending, exited(0));
  EXPECT_EQ(child.out, "child");
  EXPECT_EQ(calls, "");
  clear_all();
}

// Filling a slot again replaces what was there: nothing runs twice.
TEST(Fork, KeepsOneSetOfHandlersPerRoom) {
  clear_all();
  on_fork(ForkRoom::trace, noting<'1'>());
  on_fork(ForkRoom::trace, noting<'2'>());
  const ChildResult child = run_child([] { std::cout << calls; });
  EXPECT_EQ(child.out, "p2 c2 ");
  clear_all();
}

}  // namespace
