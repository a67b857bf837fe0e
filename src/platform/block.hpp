// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "platform/block_pool.hpp"

namespace threading::inline v1::platform {

// Memory for one thread object with its body: from the pool, or else, and under a sanitizer, which is to watch each
// block by itself, from operator new. `align`: a power of two. Throws: std::bad_alloc.
Block take_block(std::size_t size, std::size_t align);
// `align`: as it was taken.
void give_back_block(Block block, std::size_t align) noexcept;

}  // namespace threading::inline v1::platform
