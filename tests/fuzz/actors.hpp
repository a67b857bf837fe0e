// SPDX-License-Identifier: MIT
//
// Two threads that act in turn, so that what they do together has one right outcome. The second is the same OS thread
// for the whole process: it does one thing after the other, as it is told.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "fuzz/fuzz.hpp"

namespace fuzz {

class Other {
 public:
  // Never destroyed: the process may end while it sleeps.
  static Other& instance() {
    static Other& other = *new Other;
    return other;
  }

  // Has `call` done by the other thread; result() waits for it. One at a time.
  void begin(std::function<std::string()> call) {
    const std::scoped_lock hold(mutex_);
    call_ = std::move(call);
    changed_.notify_all();
  }
  std::string result() {
    std::unique_lock hold(mutex_);
    changed_.wait(hold, [&] { return result_.has_value(); });
    std::string result = std::move(*result_);
    result_.reset();
    return result;
  }

 private:
  Other() {
    std::thread([this] { live(); }).detach();
  }

  void live() {
    std::unique_lock hold(mutex_);
    for (;;) {
      changed_.wait(hold, [&] { return static_cast<bool>(call_); });
      const std::function<std::string()> call = std::move(call_);
      call_ = nullptr;
      hold.unlock();
      std::string result = call();
      hold.lock();
      result_ = std::move(result);
      changed_.notify_all();
    }
  }

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::function<std::string()> call_;
  std::optional<std::string> result_;
};

// What the call does when actor 0, the calling thread, or actor 1, the other, makes it. Waits for the end of it.
template <class Call>
std::string outcome_by(int actor, Call call) {
  if (actor == 0) return outcome_of(call);
  Other::instance().begin([&] { return outcome_of(call); });
  return Other::instance().result();
}

// As outcome_by() for a call that takes a Bound: a wait that ends with "false" must not have ended early.
template <class Call>
std::string timed_outcome_by(int actor, const Bound& bound, Call call) {
  const std::string outcome = outcome_by(actor, call);
  check(outcome != "false" || std::chrono::steady_clock::now() >= bound.not_before, "a wait ended before its time");
  return outcome;
}

}  // namespace fuzz
