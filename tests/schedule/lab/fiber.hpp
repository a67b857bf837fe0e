// SPDX-License-Identifier: MIT
//
// One thread of the program under exploration.
#pragma once

#include <cstdint>
#include <limits>

#include "fiber_switch.hpp"
#include "site.hpp"
#include "vector_clock.hpp"

namespace lab::detail {

inline constexpr unsigned kMaxLocations = 1024;
inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

enum class RunState : std::uint8_t { absent, ready, blocked, finished };
enum class WakeReason : std::uint8_t { none, woken, timed_out, interrupted };

// What the C++ runtime keeps per OS thread about exceptions in flight (Itanium ABI, __cxa_eh_globals).
struct ExceptionState {
  void* caught = nullptr;
  std::uintptr_t uncaught = 0;
};

// What a fiber runs; owned by it.
struct Body {
  virtual ~Body() = default;
  virtual void run() = 0;
};

struct Fiber {
  Context context;
  ExceptionState exceptions;
  std::uint8_t id = 0;
  RunState state = RunState::absent;
  WakeReason reason = WakeReason::none;
  bool background = false;  // the execution is complete without it
  bool noted = false;       // a finished fiber somebody has joined
  char name[24] = {};
  Body* body = nullptr;

  VectorClock clock;       // what it knows of the others
  std::uint64_t hash = 0;  // everything it has seen: equal hashes, equal local state

  // While blocked:
  const void* waits_on = nullptr;
  const char* waits_in = nullptr;
  Site waits_at;
  std::int64_t deadline = kNever;

  std::size_t heap_used = 0;
  alignas(16) unsigned char storage[256] = {};  // backend::per_thread() lives here
  std::uint16_t view[kMaxLocations] = {};       // weak mode: the oldest message it may still read, by location
};

__extension__ using Wide = unsigned __int128;

inline constexpr std::uint64_t mix(std::uint64_t h, std::uint64_t v) noexcept {
  const auto product = static_cast<Wide>(h ^ 0xa0761d6478bd642fu) * (v ^ 0xe7037ed1a0b428dbu);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace lab::detail
