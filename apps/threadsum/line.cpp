// SPDX-License-Identifier: MIT
#include "line.hpp"

namespace threadsum {

std::string escaped(std::string_view name) {
  std::string out;
  out.reserve(name.size());
  for (const char c : name) {
    switch (c) {
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      default: out += c;
    }
  }
  return out;
}

std::string sum_line(std::string_view hex, std::string_view name) {
  const std::string shown = escaped(name);
  std::string line;
  line.reserve(hex.size() + shown.size() + 4);
  if (shown.size() != name.size()) line += '\\';
  line += hex;
  line += "  ";
  line += shown;
  line += '\n';
  return line;
}

}  // namespace threadsum
