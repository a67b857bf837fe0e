// SPDX-License-Identifier: MIT
//
// World: the choices that are not about threads, the clock, and the heap.
#include <cstdlib>
#include <cstring>

#include "report.hpp"
#include "world.hpp"

namespace lab::detail {

namespace {

constexpr std::int64_t kJump = 1'000'000'000;

// Ahead of each block on a fiber's heap. Keeps the alignment of what follows.
struct BlockHeader {
  std::size_t size;
  std::uint64_t mark;
};
constexpr std::uint64_t kMark = 0x6c61622d626c6f63u;

}  // namespace

bool World::fault(Fault kind) {
  std::uint8_t& left = budget_[static_cast<std::size_t>(kind)];
  if (left == 0) return false;
  if (choose(2) == 0) return false;
  --left;
  return true;
}

unsigned World::choose(unsigned options) {
  if (options < 2) return 0;
  const unsigned answer = chooser.pick({options, options, nullptr});
  moved_ |= answer != 0;
  remember(answer + 0xc401ceu);
  return answer;
}

unsigned World::choose_stale(unsigned options) {
  std::uint8_t& left = budget_[static_cast<std::size_t>(Fault::stale)];
  if (left == 0 || options < 2) return 0;
  const unsigned answer = chooser.pick({options, options, nullptr});
  moved_ |= answer != 0;
  if (answer != 0) --left;
  return answer;
}

std::int64_t World::now(const Site& site) {
  const auto budgeted = [&](Fault kind) { return setup_.budget[static_cast<std::size_t>(kind)] != 0; };
  if (budgeted(Fault::timeout) || budgeted(Fault::clock_jump)) {
    point();
    if (fault(Fault::clock_jump)) advance_to(now_ + kJump);
  }
  remember(static_cast<std::uint64_t>(now_));
  if (setup_.tracing)
    trace(
        "reads the clock:", nullptr, [&] { return std::to_string(now_); }, site);
  return now_;
}

void* World::allocate(std::size_t size, std::size_t alignment) {
  Fiber& self = *current_;
  char* const bottom = Space::heap_bottom(self.id);
  if (alignment < alignof(std::max_align_t)) alignment = alignof(std::max_align_t);
  const std::size_t at = (self.heap_used + sizeof(BlockHeader) + alignment - 1) & ~(alignment - 1);
  if (at + size > Space::kHeapSize) fail("the lab is too small", "a thread's heap is used up");
  // Never used again within an execution: a freed block stays recognisable, and no address depends on the schedule.
  self.heap_used = at + size;
  auto* const header = reinterpret_cast<BlockHeader*>(bottom + at) - 1;
  *header = {size, kMark};
  std::memset(bottom + at, 0xcd, size);
  ++live_allocations_;
  return bottom + at;
}

void World::release(void* block, const Site& site) {
  auto* const header = static_cast<BlockHeader*>(block) - 1;
  if (header->mark != kMark) fail("freed memory", "delete of no block, at " + describe_site(site));
  --live_allocations_;
  memory.retire(*current_, block, header->size, site);
}

}  // namespace lab::detail
