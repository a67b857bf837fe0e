// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "../harness.hpp"

namespace bench {

template <class R>
Result run_barrier(const Options& options, std::size_t threads) {
  auto barrier = std::make_unique<typename R::Barrier>(static_cast<unsigned>(threads));
  // Threads leave after the round that number 0 names before it enters it; a flag might be seen a round too early.
  std::atomic<std::uint64_t> last_round{0};
  Team team(options, threads, [&](std::size_t i) {
    if (i == 0) return;  // the measuring thread plays number 0
    for (std::uint64_t round = 1;; ++round) {
      barrier->wait();
      if (round == last_round.load(std::memory_order_relaxed)) return;
    }
  });
  team.go();
  std::uint64_t round = 0;
  const Result result = time_rounds(options, [&] {
    ++round;
    barrier->wait();
  });
  last_round.store(round + 1);
  barrier->wait();
  team.join();
  return result;
}

template <class R>
void add_barrier_rows() {
  if constexpr (requires { typename R::Barrier; }) {
    add("barrier_1", R::kName, [](const Options& options) {
      typename R::Barrier barrier(1u);
      return time_each(options, [&] { barrier.wait(); });
    });
    for (const std::size_t threads : {2u, 4u, 8u}) {
      add("barrier_" + std::to_string(threads), R::kName,
          [threads](const Options& options) { return run_barrier<R>(options, threads); });
    }
  }
}

}  // namespace bench
