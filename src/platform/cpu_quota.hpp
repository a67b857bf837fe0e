// SPDX-License-Identifier: MIT
#pragma once

namespace threading::inline v1::platform {

inline constexpr int kNoQuota = 1 << 20;

// Whole processors that the quotas of the process's control group and of the groups above it allow: the least of them,
// rounded down, but at least 1. kNoQuota if there is none, if it cannot be found out, or if a group's path is too long.
// `root`: what stands before /proc and /sys, "" but for tests.
// Plain system calls and fixed buffers (some 2 KiB of stack): this runs inside a lock's slow path, where nothing may be
// allocated.
int cpu_quota(const char* root) noexcept;

}  // namespace threading::inline v1::platform
