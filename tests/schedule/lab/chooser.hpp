// SPDX-License-Identifier: MIT
//
// Who decides. Whatever an execution leaves open (which thread moves, which message a weak read sees, whether a
// fault strikes) is one call of Chooser::pick(). An execution is therefore named by its answers alone, and a
// replay line is the list of those that differ from 0.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vector_clock.hpp"

namespace lab::detail {

enum class Strategy : std::uint8_t { depth_first, pct, random, replay };

class Chooser {
 public:
  // Never grows during an execution, which runs on stacks and a heap of its own.
  static constexpr std::size_t kMaxAnswers = std::size_t{1} << 17;

  Chooser() { stack_.reserve(kMaxAnswers); }

  struct Question {
    unsigned options;                       // at least 2
    unsigned allowed;                       // 1 ... options: what the preemption bound leaves to depth_first
    const std::uint8_t* threads = nullptr;  // when a thread is chosen: the threads, option by option
    bool before_step = false;               // asked before the step does anything
  };

  void start_depth_first();
  // `depth`: number of priority changes; `length`: number of questions in one execution, as far as known.
  void start_pct(std::uint64_t seed, unsigned depth, unsigned length);
  void start_random(std::uint64_t seed);
  // Throws: std::invalid_argument when the text is not a list of answers as replay_text() makes it.
  void start_replay(std::string_view text);

  // Called before each execution after the first. Returns: false when every execution has been seen.
  bool next_execution();

  // Questions are numbered within steps, so that their numbers stay the same when some steps ask nothing beforehand.
  void begin_step(unsigned step) noexcept {
    step_ = step * kQuestionsPerStep;
    asked_ = 0;
  }

  // Returns: the answer, less than question.options.
  unsigned pick(const Question& question) noexcept;

  // The execution has left what earlier ones have in common with it: only now are its states new.
  bool at_frontier() const noexcept { return strategy_ == Strategy::depth_first && cursor_ == stack_.size(); }
  Strategy strategy() const noexcept { return strategy_; }
  unsigned questions() const noexcept { return count_; }
  std::string replay_text() const;

 private:
  struct Answer {
    std::uint32_t position;
    std::uint16_t chosen;
    std::uint16_t allowed;
  };

  void restart() noexcept;
  unsigned pick_depth_first(const Question& question) noexcept;
  unsigned pick_by_priority(const Question& question) noexcept;
  unsigned pick_fault() noexcept;
  unsigned pick_replayed() noexcept;
  void draw_priorities();
  std::uint64_t random() noexcept;

  static constexpr unsigned kQuestionsPerStep = 16;

  Strategy strategy_ = Strategy::depth_first;
  std::uint32_t step_ = 0;
  std::uint32_t asked_ = 0;     // in this step, not counting the one before it
  std::uint32_t position_ = 0;  // of the current question
  std::uint32_t count_ = 0;     // of questions in this execution
  std::size_t cursor_ = 0;
  std::vector<Answer> stack_;  // depth_first: the path; else: the answers given, or to give
  std::uint64_t random_state_ = 0;
  unsigned depth_ = 0;
  unsigned length_ = 0;
  std::array<std::uint32_t, kMaxThreads> priority_{};
  std::vector<std::uint32_t> change_points_;
};

}  // namespace lab::detail
