// SPDX-License-Identifier: MIT
#include "line_writer.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <system_error>

namespace threadsum {

void LineWriter::add(std::string_view line) {
  if (pending_.size() + line.size() > PIPE_BUF) flush();
  pending_ += line;
}

void LineWriter::flush() {
  std::string_view rest = pending_;
  while (!rest.empty()) {
    const ssize_t count = ::write(descriptor_, rest.data(), rest.size());
    if (count >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      fail(errno, std::string_view(pending_).substr(0, pending_.size() - rest.size()));
    }
  }
  pending_.clear();
}

void LineWriter::close() {
  flush();
  if (::close(descriptor_) != 0 && errno != EINTR) {
    throw std::system_error(errno, std::generic_category());
  }
}

void LineWriter::fail(int number, std::string_view written) {
  const std::size_t whole = written.rfind('\n') + 1;  // npos + 1 is 0
  const auto partial = static_cast<off_t>(written.size() - whole);
  const off_t end = ::lseek(descriptor_, 0, SEEK_CUR);
  struct stat status {};
  // Cut only when nobody has written behind us. A file that cannot be cut keeps
  // its partial line: the error below is reported either way.
  if (partial > 0 && end >= partial && ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode) &&
      status.st_size == end && ::ftruncate(descriptor_, end - partial) == 0) {
    ::lseek(descriptor_, end - partial, SEEK_SET);
  }
  pending_.clear();
  throw std::system_error(number, std::generic_category());
}

}  // namespace threadsum
