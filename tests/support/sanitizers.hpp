// SPDX-License-Identifier: MIT
#pragma once

#include <threading/detail/config.hpp>

namespace support {

// Whether this was compiled for the thread sanitizer, by either compiler.
inline constexpr bool kHasThreadSanitizer = THREADING_THREAD_SANITIZER != 0;

}  // namespace support
