// SPDX-License-Identifier: MIT
//
// Stopping a thread: its stop token ends every blocking call it is in.
#include <chrono>
#include <iostream>
#include <stop_token>

#include <threading/threading.hpp>

using namespace std::chrono_literals;

int main() {
  threading::Event started;
  threading::Semaphore work(0);

  // A target whose first parameter is a stop_token receives the thread's own.
  threading::Thread worker = threading::spawn({.name = "worker"}, [&](std::stop_token stop) {
    started.set();
    while (work.acquire(threading::forever, stop)) std::cout << "one piece of work\n";
    std::cout << "asked to stop\n";
  });
  started.wait();
  worker.stop_source().request_stop();
  worker.join();

  // Joining does both at the end of the scope, also when an exception leaves it.
  {
    threading::Joining scope(threading::spawn([](std::stop_token stop) {
      threading::Event never;
      std::cout << "a wait that only the scope can end: " << std::boolalpha << never.wait(1h, stop) << '\n';
    }));
  }
  std::cout << "the scope is over\n";
}
