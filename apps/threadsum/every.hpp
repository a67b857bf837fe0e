// SPDX-License-Identifier: MIT
//
// Does something again and again: a Timer that arms its successor.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <threading/lock.hpp>
#include <threading/timeout.hpp>
#include <threading/timer.hpp>

namespace threadsum {

// Calls `tick` one `interval` after construction, and again one interval after
// each call has ended: calls never overlap.
class Every {
 public:
  Every(std::string name, threading::Timeout interval, std::function<void()> tick);

  // Waits for a call that is under way; none follows.
  ~Every();

 private:
  void arm_locked();
  void fire();

  const std::string name_;
  const threading::Timeout interval_;
  const std::function<void()> tick_;
  threading::Lock lock_;  // guards the fields below
  bool stopped_ = false;
  std::optional<threading::Timer> timer_;  // pending, or running fire()
};

}  // namespace threadsum
