// SPDX-License-Identifier: MIT
//
// States that depth-first search has been in, each with the preemptions that were left then. Two executions whose
// events form the same partial order are in the same state; going on from it a second time, with no more freedom
// than before, shows nothing new.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace lab::detail {

class StateCache {
 public:
  static constexpr std::size_t kSlots = std::size_t{1} << 22;

  StateCache() : slots_(static_cast<Slot*>(std::calloc(kSlots, sizeof(Slot)))) {}
  ~StateCache() { std::free(slots_); }
  StateCache(const StateCache&) = delete;
  StateCache& operator=(const StateCache&) = delete;

  // Forgets everything. Cheap: an era is a salt in the key, and memory is cleared only when it has filled up.
  void clear() noexcept {
    ++era_;
    if (used_ < kSlots / 4) return;
    std::memset(static_cast<void*>(slots_), 0, kSlots * sizeof(Slot));
    used_ = 0;
  }

  // Returns: whether this state has been visited with at least as much freedom. Remembers it otherwise. When the
  // table is full, new states are no longer remembered: slower, never wrong.
  bool visited(std::uint64_t state, unsigned freedom) noexcept {
    const std::uint64_t key = (state ^ (era_ * 0x9e3779b97f4a7c15u)) | 1u;
    std::size_t at = static_cast<std::size_t>((key * 0xd6e8feb86659fd93u) >> 42);
    for (unsigned probe = 0; probe < 32; ++probe, at = (at + 1) & (kSlots - 1)) {
      Slot& slot = slots_[at];
      if (slot.key == 0) {
        if (used_ > kSlots - kSlots / 8) return false;
        ++used_;
        slot = {key, freedom};
        return false;
      }
      if (slot.key == key) {
        if (slot.freedom >= freedom) return true;
        slot.freedom = freedom;
        return false;
      }
    }
    return false;
  }

  std::size_t used() const noexcept { return used_; }

 private:
  struct Slot {
    std::uint64_t key;
    std::uint64_t freedom;
  };

  Slot* slots_;
  std::size_t used_ = 0;
  std::uint64_t era_ = 1;
};

}  // namespace lab::detail
