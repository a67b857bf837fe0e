// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <threading/timeout.hpp>

namespace threadsum {

struct Options {
  std::vector<std::string> paths{"."};
  std::size_t threads = 1;
  std::size_t open_files = 64;
  std::optional<threading::Timeout> dump_every;
};

// What the command line asks for. Nothing: --help or --version was answered, or
// the command line was wrong and standard error says how; `exit_code` is set.
std::optional<Options> parse_options(int argc, char** argv, int& exit_code);

}  // namespace threadsum
