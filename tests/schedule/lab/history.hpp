// SPDX-License-Identifier: MIT
//
// Linearizability of small histories (Wing and Gong's search, with memory): did the operations return what they would
// have returned one after the other, in some order that respects which had ended before which began? In weak mode
// there is no common clock: what counts there is which end happens before which beginning.
//
//   lab::run(Lock::kTryAcquire, 0, [&] { return lock->acquire(false); });   // in each thread
//   lab::check_linearizable(models::Lock{});                                // at the end
//
// An operation may take effect in up to three steps: a wait on a condition first releases the lock and joins the
// queue, and later leaves it. A model is a small copyable struct:
//
//   static constexpr unsigned phases(const Operation&);          1 to 3
//   bool apply(const Operation&, unsigned phase);                 legal here? then take effect
//   bool operator==(const Model&) const; std::uint64_t key() const;
//   static const char* name(int what);
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "lab.hpp"

namespace lab {

struct Operation {
  int what;
  std::int64_t argument;
  std::int64_t result;
  unsigned thread;
  unsigned begin;  // positions in one order of all begins and ends
  unsigned end;
  std::uint32_t after;  // the operations (a bit each) that must come before it
};

// More make the search too slow to run after each execution.
inline constexpr std::size_t kMaxOperations = 12;

namespace detail {

std::size_t begin_operation(int what, std::int64_t argument);
void end_operation(std::size_t operation, std::int64_t result);
std::vector<Operation> take_history();
void fail_history(const std::vector<Operation>& history, const char* (*name)(int));

template <class Model>
class Linearizer {
 public:
  explicit Linearizer(const std::vector<Operation>& history) : history_(history) {}

  // `progress` has two bits per operation: the phases done. Returns: whether the rest can follow.
  bool search(std::uint32_t progress, const Model& model) {
    if (done(progress)) return true;
    const std::uint64_t state = (static_cast<std::uint64_t>(progress) << 32) ^ model.key();
    for (const std::uint64_t seen : dead_ends_) {
      if (seen == state) return false;
    }
    for (std::size_t i = 0; i < history_.size(); ++i) {
      const unsigned phase = phase_of(progress, i);
      if (phase == Model::phases(history_[i]) || (phase == 0 && !may_begin(progress, i))) continue;
      Model next = model;
      if (next.apply(history_[i], phase) && search(progress + (1u << (2 * i)), next)) return true;
    }
    dead_ends_.push_back(state);
    return false;
  }

 private:
  static unsigned phase_of(std::uint32_t progress, std::size_t i) { return (progress >> (2 * i)) & 3; }

  bool complete(std::uint32_t progress, std::size_t i) const {
    return phase_of(progress, i) == Model::phases(history_[i]);
  }
  bool done(std::uint32_t progress) const {
    for (std::size_t i = 0; i < history_.size(); ++i) {
      if (!complete(progress, i)) return false;
    }
    return true;
  }
  bool may_begin(std::uint32_t progress, std::size_t i) const {
    for (std::size_t j = 0; j < history_.size(); ++j) {
      if ((history_[i].after & (1u << j)) != 0 && !complete(progress, j)) return false;
    }
    return true;
  }

  const std::vector<Operation>& history_;
  std::vector<std::uint64_t> dead_ends_;
};

}  // namespace detail

// Runs one operation of the history. The result is what `function` returns, converted to an integer; 0 for void.
template <class Function>
auto run(int what, std::int64_t argument, Function function) {
  const std::size_t operation = detail::begin_operation(what, argument);
  if constexpr (std::is_void_v<decltype(function())>) {
    function();
    detail::end_operation(operation, 0);
  } else {
    const auto result = function();
    detail::end_operation(operation, static_cast<std::int64_t>(result));
    return result;
  }
}

// Fails the execution, printing the history, unless it can be explained by `model`.
template <class Model>
void check_linearizable(const Model& model) {
  const std::vector<Operation> history = detail::take_history();
  if (!detail::Linearizer<Model>(history).search(0, model)) detail::fail_history(history, &Model::name);
}

}  // namespace lab
