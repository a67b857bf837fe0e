// SPDX-License-Identifier: MIT
//
// What registry.cpp's fork handlers do to the locks of the other files of this room: taken before fork(), in this
// order, so that the child finds what they guard whole; given back in the parent; made new in the child.
#pragma once

namespace threading::inline v1::threads {

void lock_shutdown() noexcept;
void unlock_shutdown() noexcept;
void reset_shutdown_after_fork() noexcept;

void lock_hooks() noexcept;
void unlock_hooks() noexcept;
void reset_hooks_after_fork() noexcept;

void lock_locals() noexcept;
void unlock_locals() noexcept;
void reset_locals_after_fork() noexcept;

}  // namespace threading::inline v1::threads
