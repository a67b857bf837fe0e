// SPDX-License-Identifier: MIT
//
// Standard error: messages, dumps and the progress bar, which share a screen.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <threading/lock.hpp>

namespace threadsum {

class Console {
 public:
  Console();

  // Whether standard error is a terminal, where a bar makes sense.
  bool draws() const { return draws_; }

  // "threadsum: TEXT", in one write.
  void message(std::string_view text);

  // `text` as it is; it ends with a newline.
  void print(std::string_view text);

  // Replaces the bar. `bar` must fit in columns().
  void draw(const std::string& bar);
  void erase();
  int columns() const;

  // Runs `write`, which writes lines to standard output. Where those appear on
  // the same terminal the bar is taken off first.
  void around_lines(const std::function<void()>& write);

 private:
  void erase_locked();

  const bool draws_;
  const bool lines_on_terminal_;
  threading::Lock lock_;  // guards the terminal's last line and the field below
  bool drawn_ = false;
};

}  // namespace threadsum
