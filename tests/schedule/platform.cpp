// SPDX-License-Identifier: MIT
//
// What src/platform and src/base/check.cpp are to the real world, for the lab: the ends of threads, fork, and dying.
// The parkers and the thread tokens are the library's own.
#include "platform.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <new>

#include <threading/detail/backend.hpp>

#include "base/check.hpp"
#include "parking/inspect.hpp"
#include "platform/block.hpp"
#include "platform/fork.hpp"
#include "platform/thread_exit.hpp"
#include "schedule/lab/lab.hpp"

namespace threading::inline v1 {

namespace {

constexpr ThreadToken kFirstToken = 1u << 19;

// Assigning tokens and taking them back is a protocol of its own, which most scenarios are not about. Numbers above
// those that the library would assign, so that the two cannot meet.
void deal_token() {
  if (!lab::options().deal_tokens) return;
  detail::PerThread& self = detail::backend::per_thread();
  self.token = kFirstToken + lab::thread_id();
  platform::arm_thread_exit(self);
}

// Whoever waited has been woken or has left by itself. The library's own threads may still be busy with each other.
void nobody_is_queued() {
  parking::WaitRecord records[8];
  const std::size_t count = std::min<std::size_t>(parking::collect_waiters(records, 8), 8);
  for (std::size_t i = 0; i != count; ++i) {
    const unsigned thread = records[i].thread - kFirstToken;
    if (!lab::runs_in_background(thread)) lab::fail("somebody is still queued in the lot", "leaked waiter");
  }
}

}  // namespace

namespace platform {

// So that the lab sees who uses an object after its end. The pool has scenarios of its own.
Block take_block(std::size_t size, std::size_t align) { return {::operator new(size, std::align_val_t{align}), 0}; }
void give_back_block(Block block, std::size_t align) noexcept { ::operator delete(block.at, std::align_val_t{align}); }

namespace {

ExitFunction exit_functions[2];
ForkHandlers fork_rooms[kForkRooms];

// As thread_exit.cpp has it: values in every round, then what must come last.
void thread_ends() {
  detail::PerThread& self = detail::backend::per_thread();
  // The main thread does not end; the process does.
  if (!self.exit_hook_armed || lab::thread_id() == 0) return;
  constexpr int kRounds = 2;
  for (int round = 0; round != kRounds; ++round) {
    if (exit_functions[static_cast<int>(ExitStage::values)] != nullptr) {
      exit_functions[static_cast<int>(ExitStage::values)](self);
    }
  }
  if (exit_functions[static_cast<int>(ExitStage::gone)] != nullptr) {
    exit_functions[static_cast<int>(ExitStage::gone)](self);
  }
  if (!lab::options().deal_tokens) give_back_thread_token(self);
  self.exit_hook_armed = false;
}

}  // namespace

void on_thread_exit(ExitStage stage, ExitFunction function) noexcept {
  exit_functions[static_cast<int>(stage)] = function;
}

void arm_thread_exit(detail::PerThread& self) noexcept { self.exit_hook_armed = true; }

[[maybe_unused]] const bool hooked =
    (lab::set_thread_hooks(&deal_token, &thread_ends), lab::set_scenario_end(&nobody_is_queued), true);

void on_fork(ForkRoom room, const ForkHandlers& handlers) noexcept { fork_rooms[static_cast<int>(room)] = handlers; }

}  // namespace platform

namespace base {

void die(const char* format, ...) noexcept {
  char text[512];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  lab::fail(text, "fatal");
}

void invariant_failed(const char* what, const char* file, int line) noexcept {
  die("invariant broken: %s (%s:%d)", what, file, line);
}

}  // namespace base

}  // namespace threading::inline v1

namespace lab {

bool fork_here() {
  using threading::v1::platform::fork_rooms;
  using threading::v1::platform::kForkRooms;
  for (int room = kForkRooms; room-- > 0;) {
    if (fork_rooms[room].prepare != nullptr) fork_rooms[room].prepare();
  }
  const bool child = choose(2) != 0;
  if (child) vanish_others();
  for (const auto& room : fork_rooms) {
    const auto handler = child ? room.child : room.parent;
    if (handler != nullptr) handler();
  }
  return child;
}

}  // namespace lab
