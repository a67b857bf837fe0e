// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <threading/detail/backend.hpp>

namespace threading::inline v1::platform {

// Numbers of slots, last in, first out; 0 is no slot. Lock-free, hence safe at any moment of a fork: a child can lose a
// slot that was on its way, never hand one out twice.
//
// Word     top_: number of the first slot (low 32 bits) and a counter that changes with every exchange (high 32 bits),
//          so that a slot that was taken and put back in between is noticed. kLink(slot): while listed, the next one.
// Orders   acquire on the popping exchange pairs with release on the pushing one: the slot's link, and what its last
//          owner wrote, are visible.
template <auto kLink>  // gives an atomic_ref to a slot's link
class SlotList {
 public:
  // Returns: 0 if there is none.
  std::uint32_t pop() noexcept {
    // acquire pairs with push().
    std::uint64_t top = top_.load(std::memory_order_acquire);
    while (static_cast<std::uint32_t>(top) != 0) {
      const auto slot = static_cast<std::uint32_t>(top);
      // relaxed: a stale link fails the exchange, because the counter has moved.
      const std::uint64_t next = kLink(slot).load(std::memory_order_relaxed);
      const std::uint64_t counter = (top & ~std::uint64_t{UINT32_MAX}) + kCounterStep;
      // relaxed: whoever gave `top` has acquired it, and the counter tells it from a later one. acquire on failure
      // pairs with push().
      if (top_.compare_exchange_weak(top, counter | next, std::memory_order_relaxed, std::memory_order_acquire)) {
        return slot;
      }
    }
    return 0;
  }

  void push(std::uint32_t slot) noexcept {
    // relaxed: the exchange decides.
    std::uint64_t top = top_.load(std::memory_order_relaxed);
    std::uint64_t counter = 0;
    do {
      // relaxed: published by the exchange.
      kLink(slot).store(static_cast<std::uint32_t>(top), std::memory_order_relaxed);
      counter = (top & ~std::uint64_t{UINT32_MAX}) + kCounterStep;
      // release pairs with pop(); relaxed on failure: tried again.
    } while (!top_.compare_exchange_weak(top, counter | slot, std::memory_order_release, std::memory_order_relaxed));
  }

 private:
  static constexpr std::uint64_t kCounterStep = std::uint64_t{1} << 32;

  detail::backend::atomic<std::uint64_t> top_{0};
};

}  // namespace threading::inline v1::platform
