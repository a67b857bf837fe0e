// SPDX-License-Identifier: MIT
//
// Memory for the Python frames of threads.
#pragma once

#include "interpreter.hpp"

namespace face {

// From here on the threads of the core hand the memory of their Python frames on to each other. Once for the process;
// does nothing in interpreters that keep frames elsewhere.
void keep_frame_memory();

}  // namespace face
