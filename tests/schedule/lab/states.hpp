// SPDX-License-Identifier: MIT
//
// Which states of a watched word an exploration has been in, and which legal ones it has not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lab::detail {

struct WordStates {
  std::string name;
  std::vector<std::uint64_t> legal;  // empty: any
  std::vector<std::uint64_t> seen;
};

// Adds what `more` has seen.
void merge_states(std::vector<WordStates>& total, const std::vector<WordStates>& more);

// "Lock never 0x2, Condition all 2": for the end of a line. Empty when no word was watched.
std::string states_in_words(const std::vector<WordStates>& words);

// Of several processes: each appends its own to the file; the sum of all is printed.
// Throws: std::runtime_error when the file cannot be used.
void append_states(const std::string& path, const std::vector<WordStates>& words);
// Returns: whether every legal state has been reached.
bool print_sum_of_states(const std::string& path);

}  // namespace lab::detail
