// SPDX-License-Identifier: MIT
#include "states.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace lab::detail {

namespace {

void add(std::vector<std::uint64_t>& to, const std::vector<std::uint64_t>& values) {
  for (const std::uint64_t value : values) {
    if (std::find(to.begin(), to.end(), value) == to.end()) to.push_back(value);
  }
  std::sort(to.begin(), to.end());
}

std::string numbers(const std::vector<std::uint64_t>& values) {
  std::string text;
  for (const std::uint64_t value : values) {
    char number[24];
    std::snprintf(number, sizeof number, " %#llx", static_cast<unsigned long long>(value));
    text += number;
  }
  return text;
}

std::vector<std::uint64_t> never_reached(const WordStates& word) {
  std::vector<std::uint64_t> missing;
  for (const std::uint64_t state : word.legal) {
    if (std::find(word.seen.begin(), word.seen.end(), state) == word.seen.end()) missing.push_back(state);
  }
  return missing;
}

std::vector<std::uint64_t> parse(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::uint64_t> values;
  for (std::string number; in >> number;) values.push_back(std::stoull(number, nullptr, 0));
  return values;
}

}  // namespace

void merge_states(std::vector<WordStates>& total, const std::vector<WordStates>& more) {
  for (const WordStates& word : more) {
    auto found =
        std::find_if(total.begin(), total.end(), [&](const WordStates& known) { return known.name == word.name; });
    if (found == total.end()) found = total.insert(total.end(), {word.name, {}, {}});
    add(found->legal, word.legal);
    add(found->seen, word.seen);
  }
}

std::string states_in_words(const std::vector<WordStates>& words) {
  std::string text;
  for (const WordStates& word : words) {
    if (!text.empty()) text += ", ";
    text += word.name;
    const std::vector<std::uint64_t> missing = never_reached(word);
    if (!missing.empty()) {
      text += " never" + numbers(missing);
    } else {
      text += (word.legal.empty() ? " " : " all ") + std::to_string(word.seen.size());
    }
  }
  return text;
}

void append_states(const std::string& path, const std::vector<WordStates>& words) {
  std::ofstream file(path, std::ios::app);
  for (const WordStates& word : words) {
    file << word.name << '|' << numbers(word.legal) << '|' << numbers(word.seen) << '\n';
  }
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

bool print_sum_of_states(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<WordStates> total;
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find('|');
    const std::size_t second = line.find('|', first + 1);
    merge_states(total, {{line.substr(0, first), parse(line.substr(first + 1, second - first - 1)),
                          parse(line.substr(second + 1))}});
  }
  bool all = true;
  for (const WordStates& word : total) {
    const std::vector<std::uint64_t> missing = never_reached(word);
    all &= missing.empty();
    std::printf("word %-12s reached:%s; never reached:%s\n", word.name.c_str(), numbers(word.seen).c_str(),
                missing.empty() ? " none" : numbers(missing).c_str());
  }
  return all;
}

}  // namespace lab::detail
