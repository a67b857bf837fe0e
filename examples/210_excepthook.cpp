// SPDX-License-Identifier: MIT
//
// An exception that leaves a thread ends that thread, not the process. It goes
// to excepthook, and stays with the thread for whoever joins it.
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

#include <threading/threading.hpp>

namespace {

std::string text_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace

int main() {
  const threading::ExceptHook before = threading::set_excepthook([](const threading::ExceptHookArgs& args) {
    std::cout << "hook: " << args.thread.name() << ": " << text_of(args.exception) << '\n';
  });

  threading::Thread worker = threading::spawn({.name = "worker"}, [] { throw std::runtime_error("no such table"); });
  worker.join();

  if (worker.exception()) std::cout << "join: " << text_of(worker.exception()) << '\n';
  threading::set_excepthook(before);
  std::cout << "the process lives\n";
}
