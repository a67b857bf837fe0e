// SPDX-License-Identifier: MIT
//
// Puts the outcomes, which workers deliver in any order, back into walk order.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <threading/condition.hpp>
#include <threading/lock.hpp>

#include "outcome.hpp"

namespace threadsum {

// At most `window` outcomes are kept. A worker that is further ahead waits in
// deliver(). It cannot wait for ever: jobs are handed out in order, so the
// oldest undelivered one is always in the hands of somebody whose delivery fits.
class Sequencer {
 public:
  explicit Sequencer(std::size_t window);

  // Hands over the outcome of job `index`. False: abandoned, nobody will take it.
  bool deliver(std::size_t index, Outcome outcome);

  // The walk is over: indices 0 … total-1 exist.
  void finish(std::size_t total);

  // Nothing more is wanted; every waiter returns.
  void abandon();

  // Waits for the next outcome in order and returns it together with those that
  // follow without a gap. Empty: everything was taken, or abandon() was called.
  std::vector<Outcome> take();

  // Whether take() has returned every outcome of a finished walk.
  bool drained();

 private:
  std::optional<Outcome>& slot(std::size_t index) { return ring_[index % ring_.size()]; }

  threading::Lock lock_;  // guards the fields below
  threading::Condition ready_{lock_};
  threading::Condition room_{lock_};
  std::vector<std::optional<Outcome>> ring_;
  std::size_t next_ = 0;
  std::optional<std::size_t> total_;
  bool abandoned_ = false;
};

}  // namespace threadsum
