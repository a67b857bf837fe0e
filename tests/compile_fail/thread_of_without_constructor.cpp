// SPDX-License-Identifier: MIT
// expect: no matching (constructor|function)
#include <string>
#include <utility>

#include <threading/thread.hpp>

struct Downloader {
  explicit Downloader(std::string from) : url(std::move(from)) {}
  void run();
  std::string url;
};

void start() {
#if defined(BAD)
  threading::ThreadOf<Downloader> downloader({.name = "dl"}, 1);
#else
  threading::ThreadOf<Downloader> downloader({.name = "dl"}, "https://example.org");
#endif
}
