// SPDX-License-Identifier: MIT
//
// How the locks that share a bucket of the lot are freed: by an exchange, which sees whether somebody is queued, or by
// a plain store, which costs next to nothing, after a look or without one. Told in src/parking/release_mode.cpp.
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

enum class ReleaseMode : std::uint32_t {
  exchange,  // what everything begins with, and all there is without asymmetric fences
  fencing,   // as `exchange`, but not every thread need know yet that it is no longer `store`: who queues up fences
  store,     // nobody is queued for a lock of this bucket
  blind,     // nor here; and who knows that it holds the lock does not look. So do all numbers from here, each once
};
constexpr bool is_blind(ReleaseMode mode) noexcept { return mode >= ReleaseMode::blind; }

// Changed only under the bucket's lock, but for what distrust() does. Outside the bucket, so that a release reads one
// line that is seldom written.
extern THREADING_API constinit backend::atomic<ReleaseMode> release_modes[kBuckets];

inline backend::atomic<ReleaseMode>& release_mode(const void* key) noexcept { return release_modes[bucket_index(key)]; }

// Before something happens to a lock at `key` of which the thread that took it learns nothing: what threads know of the
// locks of the bucket (lock_word.cpp) they know no longer. The key is not read.
THREADING_API THREADING_COLD void end_blindness(const void* key) noexcept;
inline void distrust(const void* key) noexcept {
  // relaxed: whoever knows of a blind mode has seen it before, and so has a thread that comes after it.
  if (is_blind(release_mode(key).load(std::memory_order_relaxed))) [[unlikely]]
    end_blindness(key);
}

// By a thread that has freed a lock at `key` and is to see whether a store after a look would have done. The key is not
// read.
THREADING_API THREADING_COLD void consider_stores(const void* key) noexcept;
// By one that has freed it. As a rule nothing is measured: a store less that the next exchange has to wait for.
inline void count_release() noexcept {
  Rounds& rounds = backend::per_thread().rounds;
  if (rounds.history != nullptr) [[unlikely]]
    ++rounds.released;
}
// The same for one that has freed it by an exchange: counts down to that look.
inline void count_exchange(const void* key) noexcept {
  PerThread& self = backend::per_thread();
  count_release();
  if (self.exchanges_left-- == 0) consider_stores(key);
}

}  // namespace threading::inline v1::detail
