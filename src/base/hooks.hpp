// SPDX-License-Identifier: MIT
//
// Slots that lower rooms call and upper rooms fill, so that no arrow points up. All are null until somebody cares.
#pragma once

#include <cstddef>
#include <cstdint>

#include <threading/parking_lot.hpp>

namespace threading::inline v1::base {

struct Hooks {
  // Runs before a thread may block, with no lock held. Filled by threads/ once the process is ending: it parks daemon
  // threads for ever, so it may not return.
  detail::backend::atomic<void (*)() noexcept> before_block{nullptr};
  // Run around the part of a call that blocks, with no lock of the library held. Filled by trace/ once anybody traces;
  // it finds out whether this thread is one of those.
  detail::backend::atomic<void (*)(const WaitKind&) noexcept> block_begins{nullptr};
  detail::backend::atomic<void (*)(const WaitKind&) noexcept> block_ends{nullptr};
  // Run by threads/ in each thread that the library starts: after it is registered and before run(), and after run().
  // Filled by trace/, which arms the thread's functions in the first.
  detail::backend::atomic<void (*)() noexcept> thread_starts{nullptr};
  detail::backend::atomic<void (*)() noexcept> thread_ends{nullptr};
  // What a Timer does otherwise than other threads: begins as OsThreadState::launch() does, and the monotonic time at
  // which it will fire, in nanoseconds, asked with the registry locked. Filled by timer/ with the first Timer.
  detail::backend::atomic<bool (*)(detail::ThreadState&)> launch_timer{nullptr};
  detail::backend::atomic<std::int64_t (*)(const detail::ThreadState&) noexcept> timer_deadline{nullptr};
  // Writes the name of the calling thread, ended by a zero, for the last words of a process. Filled by threads/.
  detail::backend::atomic<void (*)(char* text, std::size_t size) noexcept> name_of_caller{nullptr};
};

extern constinit Hooks hooks;

// acquire pairs with the release of the room that filled the slot: what it set up before is visible.
template <class Slot, class... Args>
void call(const Slot& slot, Args&&... args) noexcept {
  if (const auto function = slot.load(std::memory_order_acquire)) function(args...);
}

}  // namespace threading::inline v1::base
