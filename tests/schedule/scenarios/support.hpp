// SPDX-License-Identifier: MIT
//
// Shorthand of the scenarios.
#pragma once

#include <chrono>
#include <cstdint>

#include <schedule/lab/history.hpp>
#include <schedule/lab/lab.hpp>
#include <schedule/lab/models.hpp>
#include <threading/detail/release_mode.hpp>
#include <threading/errors.hpp>
#include <threading/parking_lot.hpp>

namespace scenarios {

using lab::stop_source;
using lab::stop_token;
using std::chrono::seconds;
using threading::Deadline;
using threading::LeaveReason;
using threading::ParkOptions;
using threading::ParkOutcome;
using threading::ParkResult;
using threading::QueueView;
using threading::UnparkDecision;

inline constexpr std::int64_t kSecond = 1'000'000'000;
inline constexpr threading::WaitKind kKind{"scenario"};

template <class T>
using Atomic = threading::detail::backend::atomic<T>;

// What an operation of a history returns when it may throw Python's RuntimeError or ValueError.
template <class Function>
int done(Function function) {
  try {
    function();
    return 1;
  } catch (const threading::RuntimeError&) {
    return 0;
  } catch (const threading::ValueError&) {
    return 0;
  }
}

// park() on a 32-bit word while it has a value: the smallest user of the lot.
inline ParkResult park_while(const Atomic<std::uint32_t>& word, std::uint32_t value, const ParkOptions& options = {}) {
  return threading::park(
      &word, kKind, [&]() noexcept { return word.load(std::memory_order_relaxed) == value; }, []() noexcept {},
      [](bool, LeaveReason) noexcept {}, options);
}

// Among so many locks there are two whose waiters share a bucket.
template <class Lock>
class Neighbours {
 public:
  Lock& one() { return at_[0]; }
  Lock* other() {
    Lock* other = &at_[1];
    while (threading::detail::bucket_index(other) != threading::detail::bucket_index(&at_[0])) ++other;
    return other;
  }

 private:
  Lock at_[64];
};

// The queue as a waker sees it.
inline QueueView view_of(const void* key) {
  QueueView view{};
  threading::unpark(key, [&](const QueueView& queue) noexcept -> UnparkDecision {
    view = queue;
    return {0};
  });
  return view;
}

inline void until_queued(const void* key, std::size_t count = 1) {
  while (view_of(key).size < count) lab::yield();
}

// Sleeps until a moment of the lab's time, which comes when nobody can move: so whoever has an earlier one has come to
// its wait by then. Requires: no faults of time.
inline void sleep_until(std::int64_t time) {
  const Atomic<std::uint32_t> word{0};
  static_cast<void>(park_while(word, 0, {.deadline = Deadline::at(time)}));
}

}  // namespace scenarios
