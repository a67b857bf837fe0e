// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace threading::inline v1::platform {

enum class [[nodiscard]] ParkerOutcome : std::uint8_t { woken, timed_out, interrupted };

}  // namespace threading::inline v1::platform
