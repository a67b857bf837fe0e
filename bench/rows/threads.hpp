// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include "../harness.hpp"

namespace bench {

template <class R>
void add_thread_rows() {
  if constexpr (requires { typename R::Thread; }) {
    add("thread_start_join", R::kName, [](const Options& options) {
      std::atomic<std::size_t> ran{0};
      return time_rounds(options, [&] {
        typename R::Thread thread([&ran] { ran.fetch_add(1, std::memory_order_relaxed); });
        thread.join();
      });
    });
    add("thread_batch_64", R::kName, [](const Options& options) {
      constexpr std::size_t kBatch = 64;
      std::atomic<std::size_t> ran{0};
      Result result = time_rounds(options, [&] {
        std::vector<std::unique_ptr<typename R::Thread>> threads;
        threads.reserve(kBatch);
        for (std::size_t i = 0; i != kBatch; ++i) {
          threads.push_back(
              std::make_unique<typename R::Thread>([&ran] { ran.fetch_add(1, std::memory_order_relaxed); }));
        }
        for (auto& thread : threads) thread->join();
      });
      result.ns /= kBatch;
      result.switches /= kBatch;
      return result;
    });
  }
}

}  // namespace bench
