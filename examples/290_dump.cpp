// SPDX-License-Identifier: MIT
//
// What is every thread doing? dump() prints it for people; snapshot() gives the
// same as data.
#include <chrono>
#include <iostream>
#include <sstream>
#include <string>

#include <threading/threading.hpp>

using namespace std::chrono_literals;

namespace {

std::string doing(const threading::ThreadInfo& thread) {
  switch (thread.state) {
    case threading::ThreadInfo::State::running: return "running";
    case threading::ThreadInfo::State::pending: return "a Timer that has not fired";
    case threading::ThreadInfo::State::waiting: break;
  }
  std::string text = "waiting for " + thread.wait->kind;
  if (!thread.wait->held_by.empty()) text += " held by " + thread.wait->held_by;
  return text;
}

bool is_waiting(const std::string& name) {
  for (const threading::ThreadInfo& thread : threading::snapshot()) {
    if (thread.name == name) return thread.state == threading::ThreadInfo::State::waiting;
  }
  return false;
}

// A thread cannot say of itself that it sleeps, so look until it does.
void until_waiting(const std::string& name) {
  threading::Event never;
  while (!is_waiting(name)) never.wait(1ms);
}

}  // namespace

int main() {
  threading::Lock file;
  threading::Event written;

  threading::Thread writer = threading::spawn({.name = "writer"}, [&] {
    threading::With hold(file);
    written.wait();
  });
  until_waiting("writer");
  threading::Thread reader = threading::spawn({.name = "reader"}, [&] { threading::With hold(file); });
  until_waiting("reader");
  threading::Timer tea({.name = "tea"}, 1h, [] {});
  tea.start();

  for (const threading::ThreadInfo& thread : threading::snapshot()) {
    std::cout << thread.name << ": " << doing(thread) << '\n';
  }

  std::ostringstream text;
  threading::dump(text);
  const bool complete =
      text.str().find("reader") != std::string::npos && text.str().find("writer") != std::string::npos;
  std::cout << "dump() names them: " << std::boolalpha << complete << '\n';

  tea.cancel();
  written.set();
  writer.join();
  reader.join();
}
