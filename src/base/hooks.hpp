// SPDX-License-Identifier: MIT
//
// Slots that lower rooms call and upper rooms fill, so that no arrow points up. All are null until somebody cares.
#pragma once

#include <threading/parking_lot.hpp>

namespace threading::inline v1::base {

struct Hooks {
  // Runs before a thread may block, with no lock held. Filled by threads/ once the process is ending: it parks daemon
  // threads for ever, so it may not return.
  detail::backend::atomic<void (*)() noexcept> before_block{nullptr};
  // Run around the part of a call that blocks, with no lock held, on threads whose PerThread::trace is not null.
  // Filled by trace/: the c_call and c_return events of the library.
  detail::backend::atomic<void (*)(const WaitKind&) noexcept> block_begins{nullptr};
  detail::backend::atomic<void (*)(const WaitKind&) noexcept> block_ends{nullptr};
};

extern constinit Hooks hooks;

// acquire pairs with the release of the room that filled the slot: what it set up before is visible.
template <class Slot, class... Args>
void call(const Slot& slot, Args&&... args) noexcept {
  if (const auto function = slot.load(std::memory_order_acquire)) function(args...);
}

}  // namespace threading::inline v1::base
