// SPDX-License-Identifier: MIT
#include "progress_bar.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace threadsum {
namespace {

constexpr std::chrono::milliseconds kInterval{100};
constexpr int kBarCells = 30;

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double amount = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < kUnits.size(); ++unit) amount /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", amount, kUnits[unit]);
  return text.data();
}

std::string cells(double part) {
  const int full = static_cast<int>(part * kBarCells);
  return "[" + std::string(static_cast<std::size_t>(full), '#') +
         std::string(static_cast<std::size_t>(kBarCells - full), '-') + "]";
}

}  // namespace

std::string bar_text(const Progress& progress, int columns) {
  std::string text;
  if (!progress.expected) {
    text = "counting  " + std::to_string(progress.files) + " files";
  } else {
    // A file that appears while the tree is counted would make it more than all.
    const double part =
        *progress.expected == 0
            ? 1.0
            : std::min(1.0, static_cast<double>(progress.files) / static_cast<double>(*progress.expected));
    text = cells(part) + " " + std::to_string(static_cast<int>(part * 100)) + "%  " + std::to_string(progress.files) +
           " of " + std::to_string(*progress.expected) + " files";
  }
  text += "  " + human_bytes(progress.bytes);
  // The last column stays empty: filling it makes some terminals wrap.
  return text.substr(0, static_cast<std::size_t>(std::max(columns - 1, 0)));
}

ProgressBar::ProgressBar(Meter& meter, Console& console) : console_(console) {
  timer_.emplace("progress", kInterval, [&meter, &console] { console.draw(bar_text(meter.now(), console.columns())); });
}

ProgressBar::~ProgressBar() {
  timer_.reset();
  console_.erase();
}

}  // namespace threadsum
