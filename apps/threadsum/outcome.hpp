// SPDX-License-Identifier: MIT
//
// What travels between the threads: a file to sum, and what became of it.
#pragma once

#include <cstddef>
#include <string>

namespace threadsum {

struct Job {
  std::size_t index = 0;  // place in walk order, which is the order of the output
  std::string path;
  bool named = false;  // given on the command line: a symbolic link is followed
};

struct Outcome {
  std::string path;
  std::string hex;    // the sum, when `error` is empty
  std::string error;  // why there is none
};

}  // namespace threadsum
