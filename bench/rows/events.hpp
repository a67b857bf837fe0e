// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "../harness.hpp"

namespace bench {

template <class R>
Result run_event_ping_pong(const Options& options) {
  struct alignas(128) Side {
    typename R::Event event;
  };
  auto sides = std::make_unique<Side[]>(2);
  std::atomic<bool> stop{false};
  Team team(options, 2, [&](std::size_t i) {
    if (i == 0) return;  // the measuring thread plays number 0
    for (;;) {
      sides[0].event.wait();
      sides[0].event.clear();
      if (stop.load(std::memory_order_relaxed)) return;
      sides[1].event.set();
    }
  });
  team.go();
  const Result result = time_rounds(options, [&] {
    sides[0].event.set();
    sides[1].event.wait();
    sides[1].event.clear();
  });
  stop.store(true);
  sides[0].event.set();
  team.join();
  return result;
}

template <class R>
void add_event_rows() {
  if constexpr (requires { typename R::Event; }) {
    add("event_set_clear", R::kName, [](const Options& options) {
      typename R::Event event;
      return time_each(options, [&] {
        event.set();
        event.clear();
      });
    });
    add("event_set_again", R::kName, [](const Options& options) {
      typename R::Event event;
      event.set();
      return time_each(options, [&] { event.set(); });
    });
    add("event_wait_set", R::kName, [](const Options& options) {
      typename R::Event event;
      event.set();
      return time_each(options, [&] { event.wait(); });
    });
    add("event_ping_pong", R::kName, run_event_ping_pong<R>);
  }
}

}  // namespace bench
