// SPDX-License-Identifier: MIT
//
// What has been done so far, over all runs: a file of comma-separated values, one line for each row, commit and
// machine, and a page for people beside it. Both are replaced whole, so that a reader never finds half of one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "soak/soak.hpp"

namespace soak {

struct Entry {
  std::string row;
  std::string commit;
  std::string machine;
  std::string last_day;  // year-month-day
  std::uint64_t operations = 0;
  std::uint64_t faults = 0;
  std::uint64_t hangs = 0;
  std::uint64_t errors = 0;
  double seconds = 0;
};

class Ledger {
 public:
  // Reads what the file holds; a file that is not there is an empty ledger.
  // Throws: std::runtime_error when it holds something else.
  Ledger(std::filesystem::path file, std::string commit, std::string machine);

  // Adds to the line of this row, commit and machine.
  void add(const Row& row, std::uint64_t operations, std::uint64_t faults, std::uint64_t errors, double seconds);
  void add_hang(const Row& row);
  // Counted towards the row's target, over all commits.
  double reached(const Row& row) const;

  // Writes both files. Throws: std::runtime_error.
  void save(const std::vector<Row>& rows) const;

 private:
  Entry& entry_of(const Row& row);
  std::string page(const std::vector<Row>& rows) const;

  std::filesystem::path file_;
  std::string commit_;
  std::string machine_;
  std::vector<Entry> entries_;
};

// This machine in general words: processors, architecture, system, compiler.
std::string machine_in_words();

}  // namespace soak
