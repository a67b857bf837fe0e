// SPDX-License-Identifier: MIT
//
// The driver: which executions of a scenario to run, and what came of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lab.hpp"
#include "states.hpp"

namespace lab::detail {

struct Settings {
  enum class Search : std::uint8_t { standard, depth_first, pct, random };

  Search search = Search::standard;  // standard: depth-first, then PCT if the scenario asks for it
  int bound = -1;                    // -1: the scenario's own
  unsigned deeper = 0;               // preemptions on top of the scenario's own bound
  std::uint64_t runs = 10000;        // pct, random
  std::uint64_t seed = 1;
  double seconds = 60;  // per scenario and mode
  bool reduce = true;
};

struct Result {
  const Scenario* scenario = nullptr;
  bool weak = false;
  unsigned bound = 0;      // of the last completed round
  bool complete = false;   // every schedule within the bound
  bool unbounded = false;  // and no schedule has more preemptions
  std::uint64_t executions = 0;
  std::uint64_t pruned = 0;
  std::uint64_t steps = 0;
  std::uint64_t pct_runs = 0;
  double seconds = 0;
  std::vector<WordStates> words;  // that the scenario watches

  bool failed = false;
  std::string kind;
  std::string text;
  std::string replay;  // pass to --replay
  std::vector<std::string> trace;
  unsigned preemptions = 0;

  // As expected: no failure, or the expected kind of one.
  bool good() const;
};

const std::vector<Scenario>& all_scenarios();

// Explores one scenario in one memory mode; stops at the first failure.
Result explore(const Scenario& scenario, bool weak, const Settings& settings);

// Runs the one execution that a replay line names. Throws: std::invalid_argument when there is no such scenario.
Result replay(const std::string& line);

// The interleaving and its replay line, for people.
std::string in_words(const Result& result);

}  // namespace lab::detail
