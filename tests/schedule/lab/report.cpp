// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

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
  FILE* const pipe = popen(("nm -nSC '" + own_path() + "' 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return {};
  std::string found;
  char line[2048];
  while (std::fgets(line, sizeof line, pipe) != nullptr) {
    unsigned long begin = 0;
    unsigned long size = 0;
    char type = 0;
    int name = 0;
    if (std::sscanf(line, "%lx %lx %c %n", &begin, &size, &type, &name) != 3) continue;
    if (address < begin || address >= begin + size) continue;
    found = line + name;
    while (!found.empty() && found.back() == '\n') found.pop_back();
    if (address != begin) found += '+' + std::to_string(address - begin);
  }
  pclose(pipe);
  return found;
}

}  // namespace lab::detail
