// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "../harness.hpp"

namespace bench {

template <class R>
Result run_semaphore_ping_pong(const Options& options) {
  struct alignas(128) Side {
    typename R::Semaphore semaphore{0};
  };
  auto sides = std::make_unique<Side[]>(2);
  std::atomic<bool> stop{false};
  Team team(options, 2, [&](std::size_t i) {
    if (i == 0) return;  // the measuring thread plays number 0
    for (;;) {
      sides[0].semaphore.acquire();
      if (stop.load(std::memory_order_relaxed)) return;
      sides[1].semaphore.release();
    }
  });
  team.go();
  const Result result = time_rounds(options, [&] {
    sides[0].semaphore.release();
    sides[1].semaphore.acquire();
  });
  stop.store(true);
  sides[0].semaphore.release();
  team.join();
  return result;
}

template <class R>
void add_semaphore_rows() {
  if constexpr (requires { typename R::Semaphore; }) {
    add("semaphore_pair", R::kName, [](const Options& options) {
      typename R::Semaphore semaphore{1};
      return time_each(options, [&] {
        semaphore.acquire();
        semaphore.release();
      });
    });
    add("semaphore_ping_pong", R::kName, run_semaphore_ping_pong<R>);
  }
}

}  // namespace bench
