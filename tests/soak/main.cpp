// SPDX-License-Identifier: MIT
//
// The program `soak`: all rows in turn, a slice each, again and again until the time is up.
#include <sys/prctl.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <threading/thread.hpp>

#include "soak/ledger.hpp"
#include "soak/monitor.hpp"

namespace soak {
namespace {

constexpr const char* kUsage =
    "usage: soak [OPTION...]\n"
    "  --hours H        how long to run (1)\n"
    "  --seconds S      the same in seconds\n"
    "  --rows A,B,...   only these rows; --list names them\n"
    "  --slice S        seconds that each row runs before it is another's turn (5)\n"
    "  --ledger FILE    where the results are kept, and added to (soak.csv)\n"
    "  --commit TEXT    what is being tested, for the ledger (unknown)\n"
    "  --patience S     seconds without progress that are a hang (60)\n"
    "  --list           names the rows, with their targets, and what is reached\n"
    "SIGINT and SIGTERM end the run; what was done is kept.\n";

struct Options {
  double seconds = 3600;
  double slice = 5;
  double patience = 60;
  std::string rows;
  std::string ledger = "soak.csv";
  std::string commit = "unknown";
  bool list = false;
};

[[noreturn]] void refuse(const std::string& why) {
  std::fprintf(stderr, "soak: %s\n%s", why.c_str(), kUsage);
  std::exit(2);
}

double positive(const std::string& option, const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(value) || value <= 0) {
    refuse(option + " takes a number above 0, not '" + text + "'");
  }
  return value;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--help") {
      std::fputs(kUsage, stdout);
      std::exit(0);
    }
    if (name == "--list") {
      options.list = true;
      continue;
    }
    if (i + 1 == argc) refuse("unknown option, or one without a value: " + name);
    const std::string value = argv[++i];
    if (name == "--hours") {
      options.seconds = 3600 * positive(name, value);
    } else if (name == "--seconds") {
      options.seconds = positive(name, value);
    } else if (name == "--slice") {
      options.slice = positive(name, value);
    } else if (name == "--patience") {
      options.patience = positive(name, value);
    } else if (name == "--rows") {
      options.rows = value;
    } else if (name == "--ledger") {
      options.ledger = value;
    } else if (name == "--commit") {
      options.commit = value;
    } else {
      refuse("unknown option " + name);
    }
  }
  return options;
}

std::vector<Row> chosen(const std::vector<Row>& rows, std::string_view names) {
  std::vector<Row> result;
  if (names.empty()) {
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(result),
                 [](const Row& row) { return !row.only_if_named; });
    return result;
  }
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find(','));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.name == name; });
    if (found == rows.end()) refuse("there is no row '" + std::string(name) + "'");
    result.push_back(*found);
  }
  return result;
}

class Run {
 public:
  Run(const Options& options, std::vector<Row> all)
      : options_(options),
        all_(std::move(all)),
        rows_(chosen(all_, options.rows)),
        ledger_(options.ledger, options.commit, machine_in_words()) {}

  void list() const {
    for (const Row& row : rows_) {
      std::printf("%-20s %9.3g of %5.0e  %s\n", row.name, ledger_.reached(row), row.target, row.counts);
    }
  }

  // Returns: whether all went well.
  bool go() {
    double left = options_.seconds;
    // Each row gets a turn, however short the time is.
    const double slice = std::min(options_.slice, left / static_cast<double>(rows_.size()));
    for (std::uint32_t round = 0; left > 0 && !interrupted(); ++round) {
      // Rows that have what they need wait for the others; once all have, all go on.
      std::vector<Row> turn;
      std::copy_if(rows_.begin(), rows_.end(), std::back_inserter(turn),
                   [&](const Row& row) { return ledger_.reached(row) < row.target; });
      if (turn.empty()) turn = rows_;
      for (const Row& row : turn) {
        if ((left <= 0 && round != 0) || interrupted()) break;  // the first round is a whole one
        left -= run_slice(row, round, slice);
      }
    }
    std::printf("soak: %s; %llu errors\n", interrupted() ? "interrupted" : "done",
                static_cast<unsigned long long>(errors_));
    return errors_ == 0;
  }

 private:
  // Returns: the seconds it took.
  double run_slice(const Row& row, std::uint32_t round, double seconds) {
    Slice slice(row.name, round);
    Monitor monitor(slice, seconds, options_.patience, [&] {
      ledger_.add_hang(row);
      ledger_.save(all_);
    });
    row.run(slice);
    const double took = monitor.finish();
    // One that was cut off at once proves nothing.
    if (!interrupted()) slice.expect(slice.operations() != 0, "nothing was done");
    errors_ += slice.errors();
    ledger_.add(row, slice.operations(), slice.faults(), slice.errors(), took);
    ledger_.save(all_);
    const double reached = ledger_.reached(row);
    std::printf("%-20s %11llu in %5.1f s   %9.3g of %5.0e (%.0f %%)   faults %llu   errors %llu\n", row.name,
                static_cast<unsigned long long>(slice.operations()), took, reached, row.target,
                100 * reached / row.target, static_cast<unsigned long long>(slice.faults()),
                static_cast<unsigned long long>(slice.errors()));
    std::fflush(stdout);
    return took;
  }

  Options options_;
  std::vector<Row> all_;
  std::vector<Row> rows_;
  Ledger ledger_;
  std::uint64_t errors_ = 0;
};

}  // namespace
}  // namespace soak

int main(int argc, char** argv) {
  const threading::Main main_scope;
  try {
    const soak::Options options = soak::parse(argc, argv);
    soak::Run run(options, soak::all_rows());
    if (options.list) {
      run.list();
      return 0;
    }
    soak::catch_interrupts();
    // Sleeps end when they are due, and not 50 microseconds later: timeouts are to meet wake-ups. Threads inherit it.
    ::prctl(PR_SET_TIMERSLACK, 1);
    return run.go() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "soak: %s\n", error.what());
    return 2;
  }
}
