// SPDX-License-Identifier: MIT
//
// Where a thread's block lives, and the name it gets in lock words.
//
// Word     next_free: index of the first free slot (low 32 bits) and a counter that changes with every exchange (high
//          32 bits), so that a slot that was taken and put back in between is noticed. slots[i]: while free, the next
//          free index; while taken, nothing. generations[i]: how often the slot was taken.
// Moves    take: pop from the free list, else the next slot never used. give back: push. Lock-free, hence safe at any
//          moment of a fork: a child can lose a slot that was on its way, never hand one out twice.
// I1       A token is slot number (20 bits) and the slot's generation (10 bits): unique among living threads because
//          the slot is; the generation only makes a stale owner in dump() unlikely to name the wrong thread.
// Orders   acquire on the popping exchange pairs with release on the pushing one: the slot's link is visible.
#include <threading/detail/per_thread.hpp>

#include <cstdint>

#include <threading/detail/backend.hpp>

#include "base/check.hpp"
#include "platform/thread_exit.hpp"

namespace threading::inline v1::detail {

namespace backend {
constinit thread_local PerThread tls_per_thread;
}

namespace {

constexpr unsigned kSlotBits = 20;
constexpr unsigned kGenerationBits = 10;
constexpr std::uint32_t kSlots = 1u << kSlotBits;
constexpr std::uint64_t kCounterStep = std::uint64_t{1} << 32;

// In .bss: pages that no thread's slot needs are never touched. Slot 0 stays unused: no token is 0.
// Plain integers, used through atomic_ref: a million atomics are too many for a compiler to initialise statically.
struct Slot {
  std::uint32_t next;
  std::uint16_t generation;  // written by whoever holds the slot
};
constinit Slot slots[kSlots] = {};
constinit backend::atomic<std::uint64_t> next_free{0};
constinit backend::atomic<std::uint32_t> never_used{1};

backend::atomic_ref<std::uint32_t> link(std::uint32_t slot) noexcept {
  return backend::atomic_ref<std::uint32_t>(slots[slot].next);
}

std::uint32_t pop_free() noexcept {
  // acquire pairs with push_free().
  std::uint64_t top = next_free.load(std::memory_order_acquire);
  while (static_cast<std::uint32_t>(top) != 0) {
    const auto slot = static_cast<std::uint32_t>(top);
    // relaxed: a stale link fails the exchange, because the counter has moved.
    const std::uint64_t next = link(slot).load(std::memory_order_relaxed);
    const std::uint64_t counter = (top & ~std::uint64_t{UINT32_MAX}) + kCounterStep;
    // relaxed: whoever gave `top` has acquired it, and the counter tells it from a later one. acquire on failure pairs
    // with push_free().
    if (next_free.compare_exchange_weak(top, counter | next, std::memory_order_relaxed, std::memory_order_acquire)) {
      return slot;
    }
  }
  return 0;
}

void push_free(std::uint32_t slot) noexcept {
  // relaxed: the exchange decides.
  std::uint64_t top = next_free.load(std::memory_order_relaxed);
  std::uint64_t counter = 0;
  do {
    // relaxed: published by the exchange.
    link(slot).store(static_cast<std::uint32_t>(top), std::memory_order_relaxed);
    counter = (top & ~std::uint64_t{UINT32_MAX}) + kCounterStep;
    // release pairs with pop_free(); relaxed on failure: tried again.
  } while (!next_free.compare_exchange_weak(top, counter | slot, std::memory_order_release, std::memory_order_relaxed));
}

}  // namespace

ThreadToken assign_thread_token(PerThread& self) noexcept {
  std::uint32_t slot = pop_free();
  // relaxed: only uniqueness matters.
  if (slot == 0) slot = never_used.fetch_add(1, std::memory_order_relaxed);
  if (slot >= kSlots) base::die("more than %u threads at once", kSlots - 1);
  slots[slot].generation = static_cast<std::uint16_t>((slots[slot].generation + 1u) & ((1u << kGenerationBits) - 1u));
  self.token = (static_cast<ThreadToken>(slots[slot].generation) << kSlotBits) | slot;
  platform::arm_thread_exit(self);
  return self.token;
}

}  // namespace threading::inline v1::detail

namespace threading::inline v1::platform {

void give_back_thread_token(detail::PerThread& self) noexcept {
  if (self.token == 0) return;
  detail::push_free(self.token & (detail::kSlots - 1));
  self.token = 0;
}

}  // namespace threading::inline v1::platform
