// SPDX-License-Identifier: MIT
#include "every.hpp"

#include <utility>

#include <threading/thread.hpp>
#include <threading/with.hpp>

namespace threadsum {

Every::Every(std::string name, threading::Timeout interval, std::function<void()> tick)
    : name_(std::move(name)), interval_(interval), tick_(std::move(tick)) {
  threading::With hold(lock_);
  arm_locked();
}

Every::~Every() {
  std::optional<threading::Timer> last;
  {
    threading::With hold(lock_);
    stopped_ = true;
    last = timer_;
  }
  // From here on no timer is armed, so `last` is the last one.
  last->cancel();
  last->join();
}

void Every::arm_locked() {
  threading::Timer timer({.name = name_}, interval_, [this] { fire(); });
  timer.start();
  timer_ = timer;
}

void Every::fire() {
  tick_();
  threading::With hold(lock_);
  if (!stopped_) arm_locked();
}

}  // namespace threadsum
