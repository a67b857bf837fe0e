// SPDX-License-Identifier: MIT
//
// How far the work is, for the progress bar.
#pragma once

#include <cstdint>
#include <optional>

#include <threading/lock.hpp>
#include <threading/with.hpp>

namespace threadsum {

struct Progress {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> expected;  // files in all, once they are counted
};

class Meter {
 public:
  void add_bytes(std::uint64_t count) {
    threading::With hold(lock_);
    progress_.bytes += count;
  }

  void add_file() {
    threading::With hold(lock_);
    ++progress_.files;
  }

  void expect(std::uint64_t files) {
    threading::With hold(lock_);
    progress_.expected = files;
  }

  Progress now() {
    threading::With hold(lock_);
    return progress_;
  }

 private:
  threading::Lock lock_;  // guards progress_
  Progress progress_;
};

}  // namespace threadsum
