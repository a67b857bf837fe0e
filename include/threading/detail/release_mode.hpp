// SPDX-License-Identifier: MIT
//
// How the locks that share a bucket of the lot are freed: by an exchange, which sees whether somebody is queued, or by
// a plain store, which costs next to nothing. Told in src/parking/release_mode.cpp.
#pragma once

#include <cstdint>

#include <threading/detail/backend.hpp>
#include <threading/detail/mixed.hpp>

namespace threading::inline v1::detail {

#if defined(THREADING_BACKEND_SCHEDULE)
inline constexpr unsigned kBucketBits = 3;  // a schedule has few threads, and the lab resets the table for each
#else
inline constexpr unsigned kBucketBits = 11;
#endif
inline constexpr unsigned kBuckets = 1u << kBucketBits;

// Which bucket of the lot an address belongs to. Programs have it compiled in with every release: this and kBucketBits
// are part of the binary interface.
inline unsigned bucket_index(const void* key) noexcept {
  return static_cast<unsigned>(mixed(reinterpret_cast<std::uintptr_t>(key)) >> (64 - kBucketBits));
}

enum class ReleaseMode : std::uint8_t {
  exchange,  // what everything begins with, and all there is without asymmetric fences
  fencing,   // as `exchange`, but not every thread need know yet that it is no longer `store`: who queues up fences
  store,     // nobody is queued for a lock of this bucket
};

// Changed only under the bucket's lock. Outside the bucket, so that a release reads one line that is seldom written.
extern THREADING_API constinit backend::atomic<ReleaseMode> release_modes[kBuckets];

inline backend::atomic<ReleaseMode>& release_mode(const void* key) noexcept { return release_modes[bucket_index(key)]; }

// By a thread that has freed a lock at `key` by an exchange: counts down, and when it is time sees whether a store
// would have done. The key is not read.
THREADING_API THREADING_COLD void consider_stores(const void* key) noexcept;
inline void count_exchange(const void* key) noexcept {
  PerThread& self = backend::per_thread();
  ++self.rounds.released;
  if (self.exchanges_left-- == 0) consider_stores(key);
}

}  // namespace threading::inline v1::detail
