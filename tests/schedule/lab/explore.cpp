// SPDX-License-Identifier: MIT
#include "explore.hpp"

#include <sys/single_threaded.h>

#include <chrono>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "world.hpp"

namespace lab::detail {

namespace {

std::vector<Scenario>& registry() {
  static std::vector<Scenario> scenarios;
  return scenarios;
}

World& ready_world() {
  if (the_world == nullptr) {
    Space::map();
    // The lab's threads are threads to the standard library, too: its reference counts must be atomic operations.
    __libc_single_threaded = 0;
    the_world = new World;
  }
  return *the_world;
}

Budget budget_of(const Options& options, bool weak) {
  Budget budget{};
  const auto set = [&](Fault fault, unsigned count) {
    budget[static_cast<std::size_t>(fault)] = static_cast<std::uint8_t>(count);
  };
  set(Fault::timeout, options.faults.timeouts);
  set(Fault::interrupt, options.faults.interrupts);
  set(Fault::spurious, options.faults.spurious);
  set(Fault::weak_cas, options.faults.weak_cas);
  set(Fault::spawn, options.faults.spawn);
  set(Fault::allocation, options.faults.allocation);
  set(Fault::clock_jump, options.faults.clock_jumps);
  set(Fault::late_wake, options.faults.late_wakes);
  set(Fault::stale, weak ? options.stale : 0);
  return budget;
}

class Exploration {
 public:
  Exploration(const Scenario& scenario, bool weak, const Settings& settings)
      : world_(ready_world()), settings_(settings), start_(Clock::now()) {
    result_.scenario = &scenario;
    result_.weak = weak;
    setup_.weak = weak;
    setup_.step_limit = scenario.options.step_limit;
    setup_.budget = budget_of(scenario.options, weak);
    setup_.reducing = settings.reduce;
    setup_.options = &scenario.options;
    world_.memory.watches.clear();
    world_.memory.begin_exploration(!settings.reduce);
  }

  void warm_up();
  Result depth_first();
  void pct(std::uint64_t runs);
  Result random(std::uint64_t runs);
  Result replay(const std::string& answers);
  Result finished();
  bool failed() const { return result_.failed; }

 private:
  using Clock = std::chrono::steady_clock;

  double elapsed() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  unsigned bound() const;
  bool run_one();
  bool run_until_done();
  void explain_failure();

  World& world_;
  const Settings& settings_;
  Clock::time_point start_;
  World::Setup setup_;
  Result result_;
  std::string omen_;  // a failing execution of the warm-up
  bool bounded_ = false;
  unsigned longest_ = 1;
};

unsigned Exploration::bound() const {
  const Options& options = result_.scenario->options;
  if (settings_.bound >= 0) return static_cast<unsigned>(settings_.bound);
  const unsigned own =
      result_.weak && options.weak_bound >= 0 ? static_cast<unsigned>(options.weak_bound) : options.bound;
  return own + settings_.deeper;
}

// Returns: whether it went well.
bool Exploration::run_one() {
  const Ending ending = world_.execute(result_.scenario->body, setup_);
  ++result_.executions;
  result_.steps += world_.steps();
  bounded_ |= world_.bounded();
  longest_ = std::max(longest_, world_.chooser.questions());
  if (ending == Ending::pruned) ++result_.pruned;
  if (ending != Ending::failed) return true;
  explain_failure();
  return false;
}

// Runs the failing execution once more, writing down what happens.
void Exploration::explain_failure() {
  result_.failed = true;
  const std::string answers = world_.chooser.replay_text();
  const std::string kind = world_.failure_kind;
  const std::string text = world_.failure_text;
  result_.preemptions = world_.preemptions_used();
  World::Setup setup = setup_;
  setup.tracing = true;
  setup.reducing = false;
  world_.chooser.start_replay(answers);
  // A replay knows nothing of what was learnt; answers that are not given are "go on".
  world_.memory.share_everything(true);
  world_.execute(result_.scenario->body, setup);
  result_.kind = kind;
  result_.text = world_.failure_text;
  result_.trace = world_.trace_lines;
  result_.replay = std::string(result_.scenario->name) + '/' + (result_.weak ? "weak" : "sc") + '/' + answers;
  if (world_.failure_kind != kind) {
    result_.kind = "the lab itself";
    result_.text = "\"" + kind + "\" did not happen again in the replay, but \"" + world_.failure_kind +
                   "\": the scenario is not deterministic\n  " + text;
  }
}

// Returns: whether the strategy has come to its end in time, without a failure.
bool Exploration::run_until_done() {
  for (std::uint64_t round = 1;; ++round) {
    if (!run_one()) return false;
    if (world_.memory.learned() && settings_.reduce) {
      // What was passed over as unshared is not: begin this round anew.
      world_.cache.clear();
      world_.chooser.start_depth_first();
      continue;
    }
    if (!world_.chooser.next_execution()) return true;
    if (round % 256 == 0 && elapsed() > settings_.seconds) return false;
  }
}

// Random executions, to learn what is shared before the search begins. A failure here is left for the search to find
// in a simpler form; the last word has finished().
void Exploration::warm_up() {
  constexpr std::uint64_t kRuns = 100;
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    world_.memory.share_everything(run < kRuns / 2);
    world_.chooser.start_random(settings_.seed + run);
    if (world_.execute(result_.scenario->body, setup_) == Ending::failed && omen_.empty()) {
      omen_ = world_.chooser.replay_text();
    }
  }
  world_.memory.share_everything(false);
}

// By number of preemptions, so that a failure is shown in its simplest form.
Result Exploration::depth_first() {
  if (settings_.reduce) warm_up();
  const unsigned last = bound();
  for (unsigned preemptions = 0; preemptions <= last; ++preemptions) {
    bounded_ = false;
    setup_.preemptions = preemptions;
    world_.cache.clear();
    world_.chooser.start_depth_first();
    result_.complete = run_until_done();
    if (!result_.complete) break;
    result_.bound = preemptions;
    result_.unbounded = !bounded_;
    if (result_.unbounded) break;
  }
  return finished();
}

void Exploration::pct(std::uint64_t runs) {
  setup_.preemptions = 0;
  for (std::uint64_t run = 0; run < runs && !result_.failed; ++run) {
    if (run % 16 == 0 && elapsed() > settings_.seconds) return;
    world_.chooser.start_pct(settings_.seed + run, 2 + static_cast<unsigned>(run % 4), longest_);
    ++result_.pct_runs;
    run_one();
  }
}

Result Exploration::random(std::uint64_t runs) {
  for (std::uint64_t run = 0; run < runs && !result_.failed; ++run) {
    if (run % 16 == 0 && elapsed() > settings_.seconds) break;
    world_.chooser.start_random(settings_.seed + run);
    run_one();
  }
  return finished();
}

Result Exploration::replay(const std::string& answers) {
  setup_.tracing = true;
  setup_.reducing = false;
  setup_.preemptions = 0;
  world_.memory.share_everything(true);
  world_.chooser.start_replay(answers);
  if (run_one()) result_.trace = world_.trace_lines;
  return finished();
}

Result Exploration::finished() {
  if (!result_.failed && !omen_.empty()) replay(std::exchange(omen_, {}));
  result_.seconds = elapsed();
  result_.words.clear();
  for (const auto& watch : world_.memory.watches) result_.words.push_back({watch.name, watch.legal, watch.seen});
  return result_;
}

const Scenario* find(const std::string& name) {
  for (const Scenario& scenario : all_scenarios()) {
    if (name == scenario.name) return &scenario;
  }
  return nullptr;
}

}  // namespace

void add_scenario(const Scenario& scenario) { registry().push_back(scenario); }

const std::vector<Scenario>& all_scenarios() { return registry(); }

bool Result::good() const {
  if (scenario->options.expect == nullptr) return !failed;
  return failed && kind == scenario->options.expect;
}

Result explore(const Scenario& scenario, bool weak, const Settings& settings) {
  Exploration exploration(scenario, weak, settings);
  switch (settings.search) {
    case Settings::Search::depth_first: return exploration.depth_first();
    case Settings::Search::pct: exploration.pct(settings.runs); return exploration.finished();
    case Settings::Search::random: return exploration.random(settings.runs);
    case Settings::Search::standard: break;
  }
  exploration.depth_first();
  if (!exploration.failed()) exploration.pct(scenario.options.pct_runs);
  return exploration.finished();
}

Result replay(const std::string& line) {
  const std::size_t first = line.find('/');
  const std::size_t second = line.find('/', first == std::string::npos ? first : first + 1);
  if (second == std::string::npos) throw std::invalid_argument("a replay line reads scenario/mode/answers");
  const Scenario* const scenario = find(line.substr(0, first));
  if (scenario == nullptr) throw std::invalid_argument("no scenario of the name " + line.substr(0, first));
  const Settings settings;
  Exploration exploration(*scenario, line.substr(first + 1, second - first - 1) == "weak", settings);
  return exploration.replay(line.substr(second + 1));
}

std::string in_words(const Result& result) {
  std::string text;
  for (const std::string& line : result.trace) text += line + '\n';
  if (!result.failed) return text + "no failure\n";
  text += result.kind + ": " + result.text + '\n';
  text += "replay: --replay '" + result.replay + "'\n";
  return text;
}

}  // namespace lab::detail
