// SPDX-License-Identifier: MIT
//
// Stands in for the fuzzer: runs the inputs of a corpus, a line of hexadecimal digits each. `replay FILE...`
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

namespace {

std::vector<std::uint8_t> bytes_of(const std::string& line) {
  std::vector<std::uint8_t> bytes;
  if (line.size() % 2 != 0) throw std::invalid_argument("half a byte: " + line);
  for (std::size_t i = 0; i < line.size(); i += 2) {
    std::size_t used = 0;
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(line.substr(i, 2), &used, 16)));
    if (used != 2) throw std::invalid_argument("not hexadecimal: " + line);
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 0;
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i]);
    std::string line;
    while (std::getline(file, line)) {
      if (line.empty() || line[0] == '#') continue;
      const std::vector<std::uint8_t> bytes = bytes_of(line);
      LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
      ++count;
    }
  }
  std::printf("%zu inputs replayed\n", count);
  return count == 0 ? 1 : 0;
}
