// SPDX-License-Identifier: MIT
#include <fnmatch.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "explore.hpp"
#include "mutant.hpp"
#include "world.hpp"

namespace {

using lab::Scenario;
using lab::detail::Result;
using lab::detail::Settings;

struct Command {
  Settings settings;
  std::vector<std::string> patterns;
  std::string replay;
  std::string replays;  // a file of them
  bool list = false;
  std::string states;  // a file to add the states of words to
  std::string sum;     // and one to add up
  bool quiet = false;
  bool hunting = false;  // for a seeded bug
  unsigned shard = 0;
  unsigned shards = 1;
  bool sc = true;
  bool weak = true;
};

constexpr const char* kUsage =
    "usage: schedule_lab [--list] [--scenario PATTERN]... [--mode sc|weak|both]\n"
    "                    [--strategy standard|dfs|pct|random] [--bound N] [--deeper N] [--runs N] [--seed N]\n"
    "                    [--seconds S] [--no-reduction] [--quiet]\n"
    "                    [--states FILE] [--sum-states FILE]\n"
    "                    [--shard I/N] [--mutant N] [--replay LINE] [--replays FILE]\n";

[[noreturn]] void bad_usage() {
  std::fputs(kUsage, stderr);
  std::exit(2);
}

void set_mode(Command& command, const std::string& mode) {
  command.sc = mode != "weak";
  command.weak = mode != "sc";
}

void set_strategy(Command& command, const std::string& strategy) {
  using Search = Settings::Search;
  if (strategy == "standard")
    command.settings.search = Search::standard;
  else if (strategy == "dfs")
    command.settings.search = Search::depth_first;
  else if (strategy == "pct")
    command.settings.search = Search::pct;
  else if (strategy == "random")
    command.settings.search = Search::random;
  else
    bad_usage();
}

Command parse(int argc, char** argv) {
  Command command;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const auto value = [&]() -> std::string {
      if (++i == argc) bad_usage();
      return argv[i];
    };
    if (option == "--list")
      command.list = true;
    else if (option == "--states")
      command.states = value();
    else if (option == "--sum-states")
      command.sum = value();
    else if (option == "--quiet")
      command.quiet = true;
    else if (option == "--no-reduction")
      command.settings.reduce = false;
    else if (option == "--scenario")
      command.patterns.push_back(value());
    else if (option == "--mode")
      set_mode(command, value());
    else if (option == "--strategy")
      set_strategy(command, value());
    else if (option == "--bound")
      command.settings.bound = std::stoi(value());
    else if (option == "--deeper")
      command.settings.deeper = static_cast<unsigned>(std::stoul(value()));
    else if (option == "--runs")
      command.settings.runs = std::stoull(value());
    else if (option == "--seed")
      command.settings.seed = std::stoull(value());
    else if (option == "--seconds")
      command.settings.seconds = std::stod(value());
    else if (option == "--replay")
      command.replay = value();
    else if (option == "--replays")
      command.replays = value();
    else if (option == "--shard") {  // I/N
      const std::string text = value();
      command.shard = static_cast<unsigned>(std::stoul(text));
      command.shards = static_cast<unsigned>(std::stoul(text.substr(text.find('/') + 1)));
    } else if (option == "--mutant") {
      lab::active_mutant = std::stoi(value());
      command.hunting = true;
    } else
      bad_usage();
  }
  if (command.patterns.empty()) command.patterns.emplace_back("*");
  return command;
}

int list_scenarios() {
  for (const Scenario& scenario : lab::detail::all_scenarios()) {
    std::printf("%-40s %s\n", scenario.name, scenario.about);
  }
  return 0;
}

void print_line(const Result& result) {
  char bound[64];
  std::snprintf(bound, sizeof bound, "%u%s", result.bound,
                result.unbounded  ? " (all)"
                : result.complete ? ""
                                  : " (cut)");
  std::printf("%-40s %-4s bound %-8s %9llu executions %8llu pruned %11llu steps %7llu pct %8.2f s  %s%s%s\n",
              result.scenario->name, result.weak ? "weak" : "sc", bound,
              static_cast<unsigned long long>(result.executions), static_cast<unsigned long long>(result.pruned),
              static_cast<unsigned long long>(result.steps), static_cast<unsigned long long>(result.pct_runs),
              result.seconds, result.failed ? result.kind.c_str() : "ok", result.words.empty() ? "" : "; ",
              lab::detail::states_in_words(result.words).c_str());
  std::fflush(stdout);
}

// Calls `visit` for each scenario and memory mode that the command selects, pattern by pattern, until it returns false.
template <class Visit>
void for_each(const Command& command, Visit visit) {
  std::vector<const Scenario*> seen;
  for (const std::string& pattern : command.patterns) {
    for (const Scenario& scenario : lab::detail::all_scenarios()) {
      if (fnmatch(pattern.c_str(), scenario.name, 0) != 0) continue;
      if (std::find(seen.begin(), seen.end(), &scenario) != seen.end()) continue;
      seen.push_back(&scenario);
      for (const bool weak : {false, true}) {
        const bool wanted = weak ? command.weak && scenario.options.weak : command.sc && scenario.options.sc;
        if (wanted && !visit(scenario, weak)) return;
      }
    }
  }
}

// Returns: the exit status.
int run_scenarios(const Command& command) {
  unsigned bad = 0;
  unsigned count = 0;
  std::vector<lab::detail::WordStates> words;
  for_each(command, [&](const Scenario& scenario, bool weak) {
    if (count++ % command.shards != command.shard) return true;
    const Result result = lab::detail::explore(scenario, weak, command.settings);
    lab::detail::merge_states(words, result.words);
    if (!command.quiet || !result.good()) print_line(result);
    if (result.good()) return true;
    ++bad;
    std::fputs(lab::detail::in_words(result).c_str(), stdout);
    if (!result.failed) std::printf("expected and not found: %s\n", scenario.options.expect);
    return true;
  });
  if (!command.states.empty()) lab::detail::append_states(command.states, words);
  if (count == 0) std::fputs("schedule_lab: no scenario of that name\n", stderr);
  return bad == 0 && count != 0 ? 0 : 1;
}

// A seeded bug is on: the first failure is success. Returns: the exit status.
int hunt(const Command& command) {
  bool found = false;
  std::uint64_t executions = 0;
  for_each(command, [&](const Scenario& scenario, bool weak) {
    if (scenario.options.expect != nullptr) return true;
    const Result result = lab::detail::explore(scenario, weak, command.settings);
    executions += result.executions;
    found = result.failed && result.kind != "the lab itself" && result.kind != "the lab is too small";
    if (result.failed && !found) std::fputs(lab::detail::in_words(result).c_str(), stdout);
    if (!found) return true;
    std::printf("%s by %s/%s after %llu executions\n", result.kind.c_str(), scenario.name, weak ? "weak" : "sc",
                static_cast<unsigned long long>(executions));
    if (!command.quiet) std::fputs(lab::detail::in_words(result).c_str(), stdout);
    return false;
  });
  if (!found) std::printf("not noticed in %llu executions\n", static_cast<unsigned long long>(executions));
  return found ? 0 : 1;
}

// Runs every line of a file that is neither empty nor a comment. Returns: the exit status.
int run_replays(const std::string& path) {
  std::ifstream file(path);
  int status = file ? 0 : 2;
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    const Result result = lab::detail::replay(line);
    std::printf("%s: %s\n", line.c_str(), result.failed ? result.kind.c_str() : "ok");
    if (!result.failed) continue;
    std::fputs(lab::detail::in_words(result).c_str(), stdout);
    status = 1;
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  const Command command = parse(argc, argv);
  if (command.list) return list_scenarios();
  if (!command.sum.empty()) return lab::detail::print_sum_of_states(command.sum) ? 0 : 1;
  if (!command.replays.empty()) return run_replays(command.replays);
  if (!command.replay.empty()) {
    const Result result = lab::detail::replay(command.replay);
    std::fputs(lab::detail::in_words(result).c_str(), stdout);
    return result.failed ? 1 : 0;
  }
  return command.hunting ? hunt(command) : run_scenarios(command);
}
