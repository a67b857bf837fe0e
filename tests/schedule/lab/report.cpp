// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "world.hpp"

namespace lab::detail {

namespace {

std::string own_path() {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  return length > 0 ? std::string(path, static_cast<std::size_t>(length)) : std::string();
}

// The last two parts of a path are enough to find a file in this repository.
std::string shorten(const std::string& path) {
  std::size_t slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0) return path;
  slash = path.rfind('/', slash - 1);
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

std::string first_line_of(const std::string& command) {
  std::string text;
  if (FILE* const pipe = popen(command.c_str(), "r"); pipe != nullptr) {
    char line[1024];
    if (std::fgets(line, sizeof line, pipe) != nullptr) text = line;
    pclose(pipe);
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

std::string resolve(const void* pc) {
  char command[4400];
  // A return address names the instruction after the call.
  std::snprintf(command, sizeof command, "addr2line -e '%s' -fpC %p 2>/dev/null", own_path().c_str(),
                static_cast<const void*>(static_cast<const char*>(pc) - 1));
  const std::string line = first_line_of(command);
  const std::size_t at = line.rfind(" at ");
  if (at == std::string::npos || line.compare(0, 2, "??") == 0) {
    char text[32];
    std::snprintf(text, sizeof text, "%p", pc);
    return text;
  }
  std::string function = line.substr(0, at);
  if (const std::size_t parameters = function.find('('); parameters != std::string::npos) {
    function.resize(parameters);
  }
  return shorten(line.substr(at + 4)) + " in " + function;
}

struct Symbol {
  unsigned long begin;
  unsigned long size;
  std::string name;
};

// Of the program's data. Read once.
const std::vector<Symbol>& symbols() {
  static std::vector<Symbol> all;
  if (!all.empty()) return all;
  all.push_back({0, 0, {}});
  FILE* const pipe = popen(("nm -SC '" + own_path() + "' 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return all;
  char line[4096];
  while (std::fgets(line, sizeof line, pipe) != nullptr) {
    Symbol symbol{};
    char type = 0;
    int name = 0;
    if (std::sscanf(line, "%lx %lx %c %n", &symbol.begin, &symbol.size, &type, &name) != 3) continue;
    if (std::strchr("bBdD", type) == nullptr) continue;
    symbol.name = line + name;
    while (!symbol.name.empty() && symbol.name.back() == '\n') symbol.name.pop_back();
    all.push_back(symbol);
  }
  pclose(pipe);
  return all;
}

}  // namespace

std::string describe_site(const Site& site) {
  if (!describing) return {};
  if (site.file == nullptr) return site.pc == nullptr ? std::string("?") : resolve(site.pc);
  std::string text = shorten(site.file) + ':' + std::to_string(site.line);
  if (site.function != nullptr) text += std::string(" in ") + site.function;
  return text;
}

std::string describe_global(unsigned long address) {
  if (!describing) return {};
  // The table stays.
  const Outside guard(*the_world);
  for (const Symbol& symbol : symbols()) {
    if (address < symbol.begin || address - symbol.begin >= symbol.size) continue;
    return address == symbol.begin ? symbol.name : symbol.name + '+' + std::to_string(address - symbol.begin);
  }
  return {};
}

}  // namespace lab::detail
