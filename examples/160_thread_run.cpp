// SPDX-License-Identifier: MIT
//
// A thread by overriding run(): the body is an object with results of its own.
#include <iostream>
#include <string>
#include <utility>

#include <threading/threading.hpp>

namespace {

class Downloader : public threading::Runnable {
 public:
  explicit Downloader(std::string url) : url_(std::move(url)) {}

  void run() override { result = "contents of " + url_; }

  std::string result;

 private:
  std::string url_;
};

}  // namespace

int main() {
  threading::ThreadOf<Downloader> d({.name = "dl"}, "https://example.org/");
  d.start();
  d.join();
  std::cout << d.name() << ": " << d->result << '\n';
}
