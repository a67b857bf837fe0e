// SPDX-License-Identifier: MIT
//
// Blocks that are used again. There may be a hundred thousand pending Timers, which is where a general allocator is
// slowest: more blocks than it keeps at hand, each searched for, split off and merged again. That took a third of all
// instructions from the start of a timer to its end.
//
// Word     of each size of block: a list of those that are free, and how many numbers were ever given out.
// Moves    take: from the list; else a number never used. Segment s of a size holds kFirst << s blocks and their links;
//          whoever gets a number in a segment that is not there makes it, and if two do, one throws its own away.
//          give back: → the list.
// I1       A number is in the list, or somebody has it, never both.
// I2       Segments stay: what was needed once may be needed again. So this store takes what the most objects at one
//          time took, and as much again at worst, which no page stands behind before it is used.
// Orders   The list orders what the last owner of a block wrote before what the next one reads. R1 release of a new
//          segment pairs with A1, acquire of who finds it: the allocator may have written there.
// Fork     A child can lose a block that was on its way, never hand one out twice: see slot_list.hpp.
// Destroy  Never: threads may run until the process ends.
#include "platform/block_pool.hpp"

#include <bit>
#include <new>

#include <threading/detail/backend.hpp>

#include "platform/slot_list.hpp"

namespace threading::inline v1::platform {
namespace {

using detail::backend::atomic;
using detail::backend::atomic_ref;

// Sizes of blocks, in bytes: 96, 128 … 320. A Timer with a function of eight bytes takes 96.
constexpr std::size_t kSmallest = 96;
constexpr std::size_t kStep = 32;
constexpr std::uint32_t kSizes = 8;
constexpr std::size_t kLargest = kSmallest + (kSizes - 1) * kStep;

constexpr std::uint32_t kFirst = 64;   // blocks
constexpr std::align_val_t kLine{64};  // of the cache; bytes
// 67 million blocks, or 4 million where a segment would be larger than the address space; those beyond are the
// allocator's.
constexpr unsigned kSegments = sizeof(void*) == 4 ? 16 : 20;
constexpr std::uint32_t kMostSlots = kFirst * ((1u << kSegments) - 1);
static_assert(std::uint64_t{kMostSlots} * kSizes + kSizes <= UINT32_MAX);

// Of all sizes together; a slot of one size becomes a number of all by its remainder.
constexpr std::uint32_t number_of(std::uint32_t slot, std::uint32_t size) noexcept { return slot * kSizes + size; }

constexpr std::size_t bytes_of(std::uint32_t size) noexcept { return kSmallest + size * kStep; }

// As many as any slot of 32 bits could ask for, or the compiler sees an index out of bounds.
constinit atomic<std::byte*> segments[kSizes][27] = {};

struct Place {
  unsigned segment;
  std::uint32_t index;
};
// Slots begin with 1.
constexpr Place place_of(std::uint32_t slot) noexcept {
  const std::uint64_t number = std::uint64_t{slot} - 1 + kFirst;
  const auto segment = static_cast<unsigned>(std::bit_width(number) - std::bit_width(kFirst));
  return {segment, static_cast<std::uint32_t>(number - (std::uint64_t{kFirst} << segment))};
}

// The links of a segment lie behind its blocks: a stale one may be read while its block is in use.
std::uint32_t* links_of(std::byte* segment, unsigned number, std::uint32_t size) noexcept {
  void* const links = segment + (std::size_t{kFirst} << number) * bytes_of(size);
  return static_cast<std::uint32_t*>(links);
}

template <std::uint32_t kSize>
atomic_ref<std::uint32_t> link(std::uint32_t slot) noexcept {
  const Place place = place_of(slot);
  // A1 acquire pairs with R1.
  std::byte* const segment = segments[kSize][place.segment].load(std::memory_order_acquire);
  return atomic_ref<std::uint32_t>(links_of(segment, place.segment, kSize)[place.index]);
}

// Returns: null if there is no memory.
THREADING_COLD std::byte* make_segment(atomic<std::byte*>& segment, unsigned number, std::uint32_t size) noexcept {
  const std::size_t count = std::size_t{kFirst} << number;
  const std::size_t bytes = count * (bytes_of(size) + sizeof(std::uint32_t));
  auto* const made = static_cast<std::byte*>(::operator new(bytes, kLine, std::nothrow));
  if (made == nullptr) return nullptr;
  std::byte* there = nullptr;
  // R1 release pairs with A1, and so does acquire on failure.
  if (segment.compare_exchange_strong(there, made, std::memory_order_acq_rel, std::memory_order_acquire)) return made;
  ::operator delete(made, kLine);
  return there;
}

std::byte* segment_at(atomic<std::byte*>& segment, unsigned number, std::uint32_t size) noexcept {
  // A1 acquire pairs with R1.
  if (std::byte* const there = segment.load(std::memory_order_acquire)) return there;
  return make_segment(segment, number, size);
}

template <std::uint32_t kSize>
struct Store {
  static constinit inline SlotList<&link<kSize>> ready{};
  static constinit inline atomic<std::uint32_t> used{0};

  // Returns: 0 if there is no slot left.
  static std::uint32_t take() noexcept {
    if (const std::uint32_t slot = ready.pop()) return slot;
    // relaxed, both: only uniqueness matters.
    if (used.load(std::memory_order_relaxed) >= kMostSlots) return 0;
    const std::uint32_t slot = used.fetch_add(1, std::memory_order_relaxed) + 1;
    return slot <= kMostSlots ? slot : 0;
  }
};

// `act(store)` for the store of a size.
template <class Act>
auto with_store(std::uint32_t size, Act act) noexcept {
  static_assert(kSizes == 8);
  switch (size) {
    case 0: return act(Store<0>());
    case 1: return act(Store<1>());
    case 2: return act(Store<2>());
    case 3: return act(Store<3>());
    case 4: return act(Store<4>());
    case 5: return act(Store<5>());
    case 6: return act(Store<6>());
    default: return act(Store<7>());
  }
}

}  // namespace

Block take_pooled(std::size_t size) noexcept {
  if (size > kLargest) return {nullptr, 0};
  const auto which = static_cast<std::uint32_t>(size <= kSmallest ? 0 : (size - kSmallest + kStep - 1) / kStep);
  const std::uint32_t slot = with_store(which, [](auto store) noexcept { return store.take(); });
  if (slot == 0) return {nullptr, 0};
  const Place place = place_of(slot);
  std::byte* const segment = segment_at(segments[which][place.segment], place.segment, which);
  if (segment == nullptr) return {nullptr, 0};  // the slot is lost: it has no link to be listed by
  return {segment + place.index * bytes_of(which), number_of(slot, which)};
}

void give_back_pooled(std::uint32_t number) noexcept {
  const std::uint32_t slot = number / kSizes;
  with_store(number % kSizes, [=](auto store) noexcept { store.ready.push(slot); });
}

}  // namespace threading::inline v1::platform
