// SPDX-License-Identifier: MIT
//
// Static objects and threads: Main waits for the threads before the first
// static object of the program is destroyed.
#include <iostream>

#include <threading/threading.hpp>

namespace {

struct Journal {
  ~Journal() { std::cout << "journal closed\n" << std::flush; }
  void write(const char* line) { std::cout << "journal: " << line << '\n' << std::flush; }
};

Journal journal;

}  // namespace

int main() {
  threading::Main guard;
  threading::spawn([] {
    threading::main_thread().join();
    journal.write("still open when the last thread writes");
  });
  journal.write("main returns");
}
