// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <threading/detail/backend.hpp>
#include <threading/detail/deadline.hpp>

#include "platform/parker_outcome.hpp"

namespace threading::inline v1::platform {

// See parker.hpp for the contract, parker_futex.cpp for the word.
class FutexParker {
 public:
  void prepare() noexcept;
  bool is_woken() const noexcept;
  ParkerOutcome park(Deadline deadline, bool interruptible) noexcept;
  void unpark() noexcept;

 private:
  detail::backend::atomic<std::uint32_t> state_{0};
};

}  // namespace threading::inline v1::platform
