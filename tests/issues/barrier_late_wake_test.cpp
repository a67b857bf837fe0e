// SPDX-License-Identifier: MIT
//
// Story: the thread that had run a Barrier's action woke newcomers by an address inside the barrier after it had let
// the set go. By then a party could have destroyed the barrier and put something else there; an Event at that address
// returned true from wait() although nobody had set it.
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <new>
#include <thread>

#include <threading/barrier.hpp>
#include <threading/event.hpp>

#include "support/support.hpp"

namespace {

using namespace std::chrono_literals;
using namespace support;
using namespace threading;

TEST(BarrierLateWake, WakesNothingThatTookTheBarriersPlace) {
  // Every place where a word of another object may lie.
  constexpr std::size_t kPlaces = sizeof(Barrier) / sizeof(Event);
  alignas(Barrier) static std::array<std::byte, sizeof(Barrier)> memory;
  Barrier* barrier = nullptr;
  std::array<std::atomic<int>, 2> turn{};
  const int count = rounds(5'000);
  int spurious = 0;
  Bunch actor;
  actor.add([&] {
    for (int i = 1; i <= count; ++i) {
      while (turn[0] < i) std::this_thread::yield();
      barrier->wait();  // arrives last and acts
      turn[1] = i;
    }
  });
  for (int i = 1; i <= count; ++i) {
    barrier = new (memory.data()) Barrier(2, [] {});
    std::atomic<int>& go = turn[0];
    go = i;
    barrier->wait();
    std::destroy_at(barrier);
    auto* const event = new (memory.data() + sizeof(Event) * (static_cast<std::size_t>(i) % kPlaces)) Event;
    if (event->wait(20us)) ++spurious;
    std::destroy_at(event);
    while (turn[1] < i) std::this_thread::yield();
  }
  EXPECT_EQ(spurious, 0);
}

}  // namespace
