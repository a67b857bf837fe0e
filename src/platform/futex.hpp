// SPDX-License-Identifier: MIT
#pragma once

namespace threading::inline v1::platform {

// Before the process has its second thread: has the kernel make a table of sleeping threads in which it finds one
// quickly among thousands. Does nothing the second time, and where the process or the kernel has seen to it (ADR 40).
void make_room_for_sleepers() noexcept;
// In a forked child, which has no table yet: the next thread that the library starts makes it.
void forget_room_for_sleepers() noexcept;

}  // namespace threading::inline v1::platform
