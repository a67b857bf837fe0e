// SPDX-License-Identifier: MIT
#include "chooser.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace lab::detail {

void Chooser::restart() noexcept {
  step_ = asked_ = position_ = count_ = 0;
  cursor_ = 0;
}

void Chooser::start_depth_first() {
  strategy_ = Strategy::depth_first;
  stack_.clear();
  restart();
}

void Chooser::start_pct(std::uint64_t seed, unsigned depth, unsigned length) {
  strategy_ = Strategy::pct;
  random_state_ = seed;
  depth_ = depth;
  length_ = std::max(length, 1u);
  stack_.clear();
  restart();
  draw_priorities();
}

void Chooser::start_random(std::uint64_t seed) {
  strategy_ = Strategy::random;
  random_state_ = seed;
  stack_.clear();
  restart();
}

void Chooser::start_replay(std::string_view text) {
  strategy_ = Strategy::replay;
  stack_.clear();
  restart();
  const char* at = text.data();
  const char* const end = at + text.size();
  std::uint32_t last = 0;
  while (at != end) {
    std::uint32_t step = 0;
    std::uint32_t question = 0;
    std::uint16_t chosen = 1;
    const auto number = std::from_chars(at, end, step);
    if (number.ec != std::errc{}) throw std::invalid_argument("not a replay line");
    at = number.ptr;
    if (at != end && *at == 'q') {
      const auto index = std::from_chars(at + 1, end, question);
      if (index.ec != std::errc{}) throw std::invalid_argument("not a replay line");
      at = index.ptr;
    }
    if (at != end && *at == ':') {
      const auto answer = std::from_chars(at + 1, end, chosen);
      if (answer.ec != std::errc{}) throw std::invalid_argument("not a replay line");
      at = answer.ptr;
    }
    if (at != end && *at++ != '.') throw std::invalid_argument("not a replay line");
    last += step;
    stack_.push_back({last * kQuestionsPerStep + question, chosen, 0});
  }
}

bool Chooser::next_execution() {
  restart();
  switch (strategy_) {
    case Strategy::depth_first:
      while (!stack_.empty() && stack_.back().chosen + 1 >= stack_.back().allowed) stack_.pop_back();
      if (stack_.empty()) return false;
      ++stack_.back().chosen;
      return true;
    case Strategy::pct:
      stack_.clear();
      draw_priorities();
      return true;
    case Strategy::random: stack_.clear(); return true;
    case Strategy::replay: return false;
  }
  return false;
}

unsigned Chooser::pick(const Question& question) noexcept {
  ++count_;
  position_ = step_ + (question.before_step ? 0 : ++asked_);
  unsigned chosen = 0;
  switch (strategy_) {
    case Strategy::depth_first: return pick_depth_first(question);
    case Strategy::replay: chosen = pick_replayed(); return chosen < question.options ? chosen : 0;
    case Strategy::pct:
      chosen = question.threads != nullptr ? pick_by_priority(question) : pick_fault() % question.options;
      break;
    case Strategy::random:
      chosen = question.threads != nullptr ? static_cast<unsigned>(random() % question.options)
                                           : pick_fault() % question.options;
      break;
  }
  if (chosen != 0) stack_.push_back({position_, static_cast<std::uint16_t>(chosen), 0});
  return chosen;
}

unsigned Chooser::pick_depth_first(const Question& question) noexcept {
  if (cursor_ < stack_.size()) {
    if (stack_[cursor_].position != position_) return 0;
    return stack_[cursor_++].chosen;
  }
  if (question.allowed > 1) {
    stack_.push_back({position_, 0, static_cast<std::uint16_t>(question.allowed)});
    ++cursor_;
  }
  return 0;
}

unsigned Chooser::pick_by_priority(const Question& question) noexcept {
  const auto change = std::find(change_points_.begin(), change_points_.end(), count_);
  if (change != change_points_.end()) {
    // The thread that would have moved next drops below all others that have not dropped yet.
    const auto rank = static_cast<std::uint32_t>(change_points_.end() - change);
    priority_[question.threads[0]] = rank - 1;
  }
  unsigned best = 0;
  for (unsigned i = 1; i < question.options; ++i) {
    if (priority_[question.threads[i]] > priority_[question.threads[best]]) best = i;
  }
  return best;
}

// Faults and stale reads: mostly not.
unsigned Chooser::pick_fault() noexcept {
  const std::uint64_t draw = random();
  return draw % 4 != 0 ? 0 : static_cast<unsigned>((draw >> 8) & 0xff);
}

unsigned Chooser::pick_replayed() noexcept {
  if (cursor_ < stack_.size() && stack_[cursor_].position == position_) return stack_[cursor_++].chosen;
  return 0;
}

void Chooser::draw_priorities() {
  change_points_.clear();
  for (unsigned i = 0; i + 1 < depth_; ++i) {
    change_points_.push_back(static_cast<std::uint32_t>(random() % length_) + 1);
  }
  for (unsigned i = 0; i < kMaxThreads; ++i) priority_[i] = depth_ + i;
  for (unsigned i = kMaxThreads - 1; i > 0; --i) std::swap(priority_[i], priority_[random() % (i + 1)]);
}

// splitmix64
std::uint64_t Chooser::random() noexcept {
  std::uint64_t z = (random_state_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

std::string Chooser::replay_text() const {
  std::string text;
  std::uint32_t last = 0;
  for (std::size_t i = 0; i < stack_.size(); ++i) {
    if (stack_[i].chosen == 0) continue;
    if (strategy_ != Strategy::replay && stack_[i].position > position_) break;
    if (!text.empty()) text += '.';
    // Step, and after a quote the question within it.
    const std::uint32_t step = stack_[i].position / kQuestionsPerStep;
    const std::uint32_t question = stack_[i].position % kQuestionsPerStep;
    text += std::to_string(step - last);
    if (question != 0) text.append(1, 'q') += std::to_string(question);
    if (stack_[i].chosen != 1) text += ':' + std::to_string(stack_[i].chosen);
    last = step;
  }
  return text;
}

}  // namespace lab::detail
