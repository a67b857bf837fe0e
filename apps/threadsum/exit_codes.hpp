// SPDX-License-Identifier: MIT
#pragma once

namespace threadsum {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitSignal = 128;  // plus the signal's number

}  // namespace threadsum
