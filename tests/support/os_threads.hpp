// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>

namespace support {

// A line for each thread that the system knows of this process, and what it does there: also of those that wait for
// nothing of the library's.
void print_os_threads(std::ostream& out);

}  // namespace support
