// SPDX-License-Identifier: MIT
#include <ctime>

#include <threading/detail/backend.hpp>

namespace threading::inline v1::detail::backend {

std::int64_t monotonic_now() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);  // cannot fail for this clock
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace threading::inline v1::detail::backend
