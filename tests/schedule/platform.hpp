// SPDX-License-Identifier: MIT
#pragma once

namespace lab {

// fork() with the library's handlers around it. Both processes are explored, each in executions of its own.
// Returns: whether this is the child; the calling thread is the only one then.
bool fork_here();

}  // namespace lab
