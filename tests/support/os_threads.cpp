// SPDX-License-Identifier: MIT
#include "support/os_threads.hpp"

#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>
#include <system_error>

namespace support {
namespace {

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

void print_os_threads(std::ostream& out) {
  std::error_code ignored;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", ignored)) {
    out << "  OS thread " << task.path().filename().string() << " (" << first_line(task.path() / "comm") << ") in "
        << first_line(task.path() / "wchan") << ", system call " << first_line(task.path() / "syscall") << '\n';
  }
}

}  // namespace support
