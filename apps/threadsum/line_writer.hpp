// SPDX-License-Identifier: MIT
//
// Writes lines so that a reader never sees a part of one.
#pragma once

#include <string>
#include <string_view>

namespace threadsum {

// Lines are collected and written in pieces of whole lines, each piece small
// enough that a pipe takes all of it or nothing (PIPE_BUF), also when the
// process is killed in the middle. A regular file that takes only a part of a
// piece (full disk, size limit) is cut back to the end of its last whole line.
class LineWriter {
 public:
  explicit LineWriter(int descriptor) : descriptor_(descriptor) {}

  // `line` ends with a newline. Throws what flush() throws.
  void add(std::string_view line);

  // Throws std::system_error: what is not written is dropped.
  void flush();

  // flush(), then closes the descriptor: some file systems report a full disk
  // only then. Throws std::system_error.
  void close();

 private:
  [[noreturn]] void fail(int number, std::string_view written);

  const int descriptor_;
  std::string pending_;
};

}  // namespace threadsum
