// SPDX-License-Identifier: MIT
//
// What tests observe of the parking lot through its public interface, to wait for "that thread sleeps there".
#pragma once

#include <cstddef>

#include <threading/embedding.hpp>
#include <threading/parking_lot.hpp>

namespace support {

// How many threads wait at an address.
inline std::size_t waiters_at(const void* key) noexcept {
  std::size_t size = 0;
  threading::unpark(key, [&](const threading::QueueView& queue) noexcept -> threading::UnparkDecision {
    size = queue.size;
    return {0};
  });
  return size;
}

// The same for an object. A lock, a semaphore and an event queue their waiters at their own address.
template <class Primitive>
std::size_t waiters(const Primitive& object) noexcept {
  if constexpr (requires { threading::Embedding::waiters(object); }) {
    return threading::Embedding::waiters(object);
  } else {
    return waiters_at(&object);
  }
}
inline std::size_t waiters(const threading::Barrier& barrier) noexcept { return barrier.n_waiting(); }

}  // namespace support
