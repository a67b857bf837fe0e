// SPDX-License-Identifier: MIT
#include "sequencer.hpp"

#include <utility>

#include <threading/with.hpp>

namespace threadsum {

Sequencer::Sequencer(std::size_t window) : ring_(window) {}

bool Sequencer::deliver(std::size_t index, Outcome outcome) {
  threading::With hold(lock_);
  room_.wait_for([&] { return abandoned_ || index < next_ + ring_.size(); });
  if (abandoned_) return false;
  slot(index) = std::move(outcome);
  if (index == next_) ready_.notify();
  return true;
}

void Sequencer::finish(std::size_t total) {
  threading::With hold(lock_);
  total_ = total;
  ready_.notify();
}

void Sequencer::abandon() {
  threading::With hold(lock_);
  abandoned_ = true;
  ready_.notify_all();
  room_.notify_all();
}

std::vector<Outcome> Sequencer::take() {
  threading::With hold(lock_);
  ready_.wait_for([&] { return abandoned_ || total_ == next_ || slot(next_).has_value(); });
  std::vector<Outcome> taken;
  if (abandoned_) return taken;
  for (; slot(next_).has_value(); ++next_) {
    taken.push_back(std::move(*slot(next_)));
    slot(next_).reset();
  }
  room_.notify_all();
  return taken;
}

bool Sequencer::drained() {
  threading::With hold(lock_);
  return total_ == next_;
}

}  // namespace threadsum
