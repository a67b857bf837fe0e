// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include <threading/parking_lot.hpp>

namespace threading::inline v1::parking {

// What the lot knows of one waiting thread, copied under its bucket's lock.
struct WaitRecord {
  ThreadToken thread;
  const char* kind;
  const void* object;
  ThreadToken owner;   // who holds the object; 0: nobody, or unknown
  std::int64_t since;  // monotonic_now() nanoseconds
  Deadline deadline = Deadline::never();
};

// Copies up to `capacity` records, bucket by bucket; leaves out waits of the library's own helpers. Each is exact at
// its own moment; together they are no snapshot of one moment. Allocates nothing. Returns: how many threads wait; more
// than `capacity` means call again.
std::size_t collect_waiters(WaitRecord* records, std::size_t capacity) noexcept;

}  // namespace threading::inline v1::parking
