// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "console.hpp"
#include "every.hpp"
#include "meter.hpp"

namespace threadsum {

// One line of at most `columns` characters.
std::string bar_text(const Progress& progress, int columns);

// Draws `meter` on `console` ten times a second, from construction to
// destruction, which takes the bar off the screen.
class ProgressBar {
 public:
  ProgressBar(Meter& meter, Console& console);
  ~ProgressBar();

 private:
  Console& console_;
  std::optional<Every> timer_;
};

}  // namespace threadsum
