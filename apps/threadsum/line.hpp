// SPDX-License-Identifier: MIT
//
// The format that `sha256sum -c` reads.
#pragma once

#include <string>
#include <string_view>

namespace threadsum {

// `name` with backslash, newline and carriage return as \\, \n and \r.
std::string escaped(std::string_view name);

// "HEX  NAME\n"; a name that needs escaping is escaped and the line then starts
// with a backslash, which tells the reader so.
std::string sum_line(std::string_view hex, std::string_view name);

}  // namespace threadsum
