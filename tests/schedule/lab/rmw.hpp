// SPDX-License-Identifier: MIT
//
// What an atomic's operations are made of. Apart from memory.hpp, whose containers would be compiled with everything
// that has an atomic.
#pragma once

#include <cstdint>

namespace lab::detail {

enum class Rmw : std::uint8_t { exchange, add, sub, bit_and, bit_or, bit_xor };

}  // namespace lab::detail
