// SPDX-License-Identifier: MIT
//
// Draws lots, for what only one in so many threads is to do: each note of a hint takes a line away from others.
#pragma once

#include <cstdint>

#include <threading/detail/mixed.hpp>

namespace threading::inline v1::parking {

// True for one in `n`, drawn by `now`, nanoseconds of the clock. Not by its low bits: a clock may tick in steps of 40
// ns, and then one in eight would be all.
constexpr bool drawn_one_in(std::uint32_t n, std::int64_t now) noexcept {
  return (detail::mixed(static_cast<std::uint64_t>(now)) >> 32) % n == 0;
}

}  // namespace threading::inline v1::parking
