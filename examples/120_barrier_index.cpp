// SPDX-License-Identifier: MIT
//
// wait() numbers the threads, so that one of them can do the housekeeping; an
// action does it before anyone goes on.
#include <cstddef>
#include <functional>
#include <iostream>
#include <vector>

#include <threading/threading.hpp>

namespace {

constexpr int kThreads = 4;

threading::Lock output;

void pass(threading::Barrier& barrier) {
  const std::size_t i = barrier.wait();
  if (i == 0) {
    // Only one thread needs to print this
    threading::With hold(output);
    std::cout << "passed the barrier\n";
  }
}

void run_threads(const std::function<void()>& body) {
  std::vector<threading::Thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.push_back(threading::spawn(body));
  for (const threading::Thread& thread : threads) thread.join();
}

}  // namespace

int main() {
  threading::Barrier barrier(kThreads);
  run_threads([&] { pass(barrier); });
  run_threads([&] { pass(barrier); });  // it can be used again

  int round = 0;
  threading::Barrier rounds(kThreads, [&] { std::cout << "end of round " << ++round << '\n'; });
  run_threads([&] {
    for (int i = 0; i < 3; ++i) rounds.wait();
  });

  threading::Thread lonely = threading::spawn([&] {
    try {
      rounds.wait(0.01);
    } catch (const threading::BrokenBarrierError&) {
      std::cout << "BrokenBarrierError: nobody else came\n";
    }
  });
  lonely.join();
  std::cout << "broken: " << std::boolalpha << rounds.broken() << '\n';
  rounds.reset();
  std::cout << "broken after reset: " << rounds.broken() << '\n';
}
