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
  static constexpr unsigned kMinBits = 15;
  static constexpr unsigned kMaxBits = 22;

  StateCache() : slots_(new_slots(kMinBits)) {}
  ~StateCache() { std::free(slots_); }
  StateCache(const StateCache&) = delete;
  StateCache& operator=(const StateCache&) = delete;

  // Forgets everything. Cheap: an era is a salt in the key, and memory is cleared only when much of it is in use.
  void clear() noexcept {
    ++era_;
    if (used_ < size() / 8) return;
    std::memset(static_cast<void*>(slots_), 0, size() * sizeof(Slot));
    used_ = 0;
  }

  // Returns: whether this state has been visited with at least as much freedom. Remembers it otherwise. When the
  // table is full, new states are no longer remembered: slower, never wrong.
  bool visited(std::uint64_t state, unsigned freedom) noexcept {
    const std::uint64_t key = (state ^ (era_ * 0x9e3779b97f4a7c15u)) | 1u;
    Slot* const slot = find(key);
    if (slot == nullptr) return false;
    if (slot->key == key) {
      if (slot->freedom >= freedom) return true;
      slot->freedom = freedom;
      return false;
    }
    if (used_ > size() - size() / 8) return false;
    *slot = {key, freedom};
    // Most explorations are small, and a table for the largest takes longer to page in than they take.
    if (++used_ > size() / 4 && bits_ < kMaxBits) grow();
    return false;
  }

  std::size_t used() const noexcept { return used_; }

 private:
  struct Slot {
    std::uint64_t key;
    std::uint64_t freedom;
  };

  static Slot* new_slots(unsigned bits) noexcept {
    return static_cast<Slot*>(std::calloc(std::size_t{1} << bits, sizeof(Slot)));
  }

  std::size_t size() const noexcept { return std::size_t{1} << bits_; }

  // The slot that has the key, or the one for it; null: neither is near where it belongs.
  Slot* find(std::uint64_t key) noexcept {
    auto at = static_cast<std::size_t>((key * 0xd6e8feb86659fd93u) >> (64 - bits_));
    for (unsigned probe = 0; probe < 32; ++probe, at = (at + 1) & (size() - 1)) {
      if (slots_[at].key == key || slots_[at].key == 0) return &slots_[at];
    }
    return nullptr;
  }

  void grow() noexcept {
    Slot* const old = slots_;
    const Slot* const end = old + size();
    bits_ += bits_ + 2 <= kMaxBits ? 2 : kMaxBits - bits_;
    slots_ = new_slots(bits_);
    for (const Slot* slot = old; slot != end; ++slot) {
      if (slot->key == 0) continue;
      if (Slot* const place = find(slot->key); place != nullptr) *place = *slot;
    }
    std::free(old);
  }

  unsigned bits_ = kMinBits;
  Slot* slots_;
  std::size_t used_ = 0;
  std::uint64_t era_ = 1;
};

}  // namespace lab::detail
