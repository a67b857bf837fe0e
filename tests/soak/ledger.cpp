// SPDX-License-Identifier: MIT
#include "soak/ledger.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace soak {
namespace {

constexpr const char* kHeader = "row,commit,machine,last_day,operations,faults,hangs,errors,seconds";

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[16];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d", &parts)};
}

Entry parse(const std::string& line) {
  std::istringstream in(line);
  Entry entry;
  for (std::string* field : {&entry.row, &entry.commit, &entry.machine, &entry.last_day}) std::getline(in, *field, ',');
  char comma = 0;
  in >> entry.operations >> comma >> entry.faults >> comma >> entry.hangs >> comma >> entry.errors >> comma >>
      entry.seconds;
  if (!in) throw std::runtime_error("this is no line of a ledger: " + line);
  return entry;
}

void write_whole(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::path half = path;
  half += ".new";
  {
    std::ofstream out(half);
    out << text << std::flush;
    if (!out) throw std::runtime_error("cannot write " + half.string());
  }
  std::filesystem::rename(half, path);
}

// 1234567 as 1,234,567.
std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return text;
}

std::string hours(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", seconds / 3600);
  return text;
}

std::string power(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0e", number);
  return text;
}

void add_to(Entry& sum, const Entry& entry) {
  sum.operations += entry.operations;
  sum.faults += entry.faults;
  sum.hangs += entry.hangs;
  sum.errors += entry.errors;
  sum.seconds += entry.seconds;
  sum.last_day = std::max(sum.last_day, entry.last_day);
}

}  // namespace

Ledger::Ledger(std::filesystem::path file, std::string commit, std::string machine)
    : file_(std::move(file)), commit_(std::move(commit)), machine_(std::move(machine)) {
  std::ifstream in(file_);
  std::string line;
  if (!std::getline(in, line)) return;
  if (line != kHeader) throw std::runtime_error(file_.string() + " is no ledger of this program");
  while (std::getline(in, line)) entries_.push_back(parse(line));
}

Entry& Ledger::entry_of(const Row& row) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.row == row.name && entry.commit == commit_ && entry.machine == machine_;
  });
  if (found != entries_.end()) return *found;
  return entries_.emplace_back(Entry{.row = row.name, .commit = commit_, .machine = machine_, .last_day = {}});
}

void Ledger::add(const Row& row, std::uint64_t operations, std::uint64_t faults, std::uint64_t errors, double seconds) {
  add_to(entry_of(row), {.row = {},
                         .commit = {},
                         .machine = {},
                         .last_day = today(),
                         .operations = operations,
                         .faults = faults,
                         .errors = errors,
                         .seconds = seconds});
}

void Ledger::add_hang(const Row& row) { ++entry_of(row).hangs; }

double Ledger::reached(const Row& row) const {
  std::uint64_t sum = 0;
  for (const Entry& entry : entries_) {
    if (entry.row == row.name) sum += row.counts_faults ? entry.faults : entry.operations;
  }
  return static_cast<double>(sum);
}

void Ledger::save(const std::vector<Row>& rows) const {
  std::ostringstream values;
  values << kHeader << '\n';
  for (const Entry& entry : entries_) {
    values << entry.row << ',' << entry.commit << ',' << entry.machine << ',' << entry.last_day << ','
           << entry.operations << ',' << entry.faults << ',' << entry.hangs << ',' << entry.errors << ','
           << static_cast<std::uint64_t>(entry.seconds + 0.5) << '\n';
  }
  write_whole(file_, values.str());
  std::filesystem::path text = file_;
  write_whole(text.replace_extension(".md"), page(rows));
}

std::string Ledger::page(const std::vector<Row>& rows) const {
  std::ostringstream out;
  out << "# Soak\n\n"
         "Written by `./dev soak`, which adds to it; see [what is verified](README.md). An operation is one call that "
         "changes\nthe object or waits for it. Target and figures are over all commits below; hours are hours of "
         "running, not of\nprocessor time.\n\n"
         "| row | what is counted | count | target | reached | faults injected | hangs | errors | hours |\n"
         "|---|---|--:|--:|---|--:|--:|--:|--:|\n";
  for (const Row& row : rows) {
    if (row.only_if_named) continue;
    Entry sum;
    for (const Entry& entry : entries_) {
      if (entry.row == row.name) add_to(sum, entry);
    }
    const std::uint64_t count = row.counts_faults ? sum.faults : sum.operations;
    const double share = 100 * static_cast<double>(count) / row.target;
    out << "| " << row.name << " | " << row.counts << " | " << grouped(count) << " | " << power(row.target) << " | ";
    if (share >= 100) {
      out << "yes";
    } else {
      out << static_cast<int>(share) << " %";
    }
    out << " | " << grouped(sum.faults) << " | " << sum.hangs << " | " << sum.errors << " | " << hours(sum.seconds)
        << " |\n";
  }
  out << "\n| commit | machine | last run | hours | hangs | errors |\n|---|---|---|--:|--:|--:|\n";
  std::map<std::pair<std::string, std::string>, Entry> runs;
  std::vector<std::pair<std::string, std::string>> order;
  for (const Entry& entry : entries_) {
    const auto [run, is_new] = runs.try_emplace({entry.commit, entry.machine});
    if (is_new) order.push_back(run->first);
    add_to(run->second, entry);
  }
  for (const auto& key : order) {
    const Entry& run = runs.at(key);
    out << "| " << key.first << " | " << key.second << " | " << run.last_day << " | " << hours(run.seconds) << " | "
        << run.hangs << " | " << run.errors << " |\n";
  }
  return out.str();
}

std::string machine_in_words() {
  utsname system{};
  uname(&system);
  std::ostringstream out;
  out << std::thread::hardware_concurrency() << " processors; " << system.machine << "; " << system.sysname << ' ';
  const std::string release = system.release;
  out << release.substr(0, release.find_first_not_of("0123456789."));
#if defined(__clang__)
  out << "; Clang " << __clang_major__;
#elif defined(__GNUC__)
  out << "; GCC " << __GNUC__;
#endif
#if !defined(__OPTIMIZE__)
  out << "; not optimised";
#endif
  return out.str();
}

}  // namespace soak
