// SPDX-License-Identifier: MIT
//
// Where a thread's block lives, and the name it gets in lock words.
//
// Word     free_slots: the slots that are free (slot_list.hpp). slots[i]: its link while free; how often it was taken.
// Moves    take: pop from the free list, else the next slot never used. give back: push. Safe at any moment of a fork.
// I1       A token is slot number (20 bits) and the slot's generation (10 bits): unique among living threads because
//          the slot is; the generation only makes a stale owner in dump() unlikely to name the wrong thread.
#include <threading/detail/per_thread.hpp>

#include <cstdint>

#include <threading/detail/backend.hpp>

#include "base/check.hpp"
#include "platform/slot_list.hpp"
#include "platform/thread_exit.hpp"

namespace threading::inline v1::detail {

namespace backend {
constinit thread_local PerThread tls_per_thread;
}

namespace {

constexpr unsigned kSlotBits = 20;
constexpr unsigned kGenerationBits = 10;
constexpr std::uint32_t kSlots = 1u << kSlotBits;

// In .bss: pages that no thread's slot needs are never touched. Slot 0 stays unused: no token is 0.
// Plain integers, used through atomic_ref: a million atomics are too many for a compiler to initialise statically.
struct Slot {
  std::uint32_t next;
  std::uint16_t generation;  // written by whoever holds the slot
};
constinit Slot slots[kSlots] = {};

backend::atomic_ref<std::uint32_t> link(std::uint32_t slot) noexcept {
  return backend::atomic_ref<std::uint32_t>(slots[slot].next);
}

constinit platform::SlotList<&link> free_slots;
constinit backend::atomic<std::uint32_t> never_used{1};

}  // namespace

ThreadToken assign_thread_token(PerThread& self) noexcept {
  std::uint32_t slot = free_slots.pop();
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
  detail::free_slots.push(self.token & (detail::kSlots - 1));
  self.token = 0;
  self.trusted = {};  // by the name it had: see give_back_blindly()
}

}  // namespace threading::inline v1::platform
