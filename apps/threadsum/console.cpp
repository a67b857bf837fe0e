// SPDX-License-Identifier: MIT
#include "console.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include <threading/with.hpp>

namespace threadsum {
namespace {

// A terminal that is stopped (Ctrl-S) blocks whoever writes to it, with the
// lock held. A message then waits this long for its turn and goes out anyway.
constexpr std::chrono::milliseconds kPatience{500};

constexpr int kUsualColumns = 80;

// There is nowhere to report that standard error failed.
void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, text.data(), text.size());
    if (count > 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return;
    }
  }
}

}  // namespace

Console::Console() : draws_(::isatty(STDERR_FILENO) == 1), lines_on_terminal_(draws_ && ::isatty(STDOUT_FILENO) == 1) {}

void Console::message(std::string_view text) {
  std::string line = "threadsum: ";
  line += text;
  line += '\n';
  print(line);
}

void Console::print(std::string_view text) {
  threading::With hold(lock_, kPatience);
  if (hold) erase_locked();
  write_all(text);
}

void Console::draw(const std::string& bar) {
  threading::With hold(lock_);
  write_all("\r" + bar + "\033[K");
  drawn_ = true;
}

void Console::erase() {
  threading::With hold(lock_, kPatience);
  if (hold) erase_locked();
}

int Console::columns() const {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualColumns;
  return size.ws_col;
}

void Console::around_lines(const std::function<void()>& write) {
  if (!lines_on_terminal_) {
    write();
    return;
  }
  threading::With hold(lock_);
  erase_locked();
  write();
}

void Console::erase_locked() {
  if (!drawn_) return;
  write_all("\r\033[K");
  drawn_ = false;
}

}  // namespace threadsum
