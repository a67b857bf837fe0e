// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace threading::inline v1::detail {

// Multiplicative hashing (Knuth): the high bits of the result, and only those, depend on all bits of `value`. Part of
// the binary interface, by bucket_index().
constexpr std::uint64_t mixed(std::uint64_t value) noexcept { return value * 0x9E3779B97F4A7C15u; }

}  // namespace threading::inline v1::detail
