// SPDX-License-Identifier: MIT
#pragma once

namespace support {

// Whether this was compiled for the thread sanitizer, by either compiler.
#if defined(__SANITIZE_THREAD__)
inline constexpr bool kHasThreadSanitizer = true;
#elif defined(__has_feature)
inline constexpr bool kHasThreadSanitizer = __has_feature(thread_sanitizer);
#else
inline constexpr bool kHasThreadSanitizer = false;
#endif

}  // namespace support
