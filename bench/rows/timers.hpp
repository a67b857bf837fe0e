// SPDX-License-Identifier: MIT
//
// A hundred thousand timers at once. A rival's Timers is made for a number of them and has
//   start(i, delay, fired)   starts timer i: after `delay` nanoseconds it calls fired(i)
//   cancel(i)                before it fires
#pragma once

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

#include "../harness.hpp"

namespace bench {

inline constexpr std::size_t kTimers = 100'000;

inline std::size_t timers_of(const Options& options) { return options.count != 0 ? options.count : kTimers; }

// Starts timers 0 … count - 1, spread over ten minutes in an order that is none; the first is due in a minute.
template <class Timers>
void start_pending(Timers& timers, std::size_t count) {
  for (std::size_t i = 0; i != count; ++i) {
    const auto delay = static_cast<std::int64_t>(60'000'000'000 + (i * 7'919 % 600'000) * 1'000'000);
    timers.start(i, delay, [](std::size_t) {});
  }
}

template <class R>
Result run_timers_start_cancel(const Options& options) {
  place(options.placement, 0);
  const std::size_t count = timers_of(options);
  const double before = resident_bytes();
  auto timers = std::make_unique<typename R::Timers>(count);
  Result result;
  const std::int64_t start = now();
  start_pending(*timers, count);
  const std::int64_t started = now();
  result.bytes = std::max(0.0, resident_bytes() - before) / static_cast<double>(count);
  result.threads = os_threads();
  const std::int64_t cancel = now();
  for (std::size_t i = 0; i != count; ++i) timers->cancel(i * 7'919 % count);
  result.cancel_ns = static_cast<double>(now() - cancel) / static_cast<double>(count);
  result.start_ns = static_cast<double>(started - start) / static_cast<double>(count);
  result.ns = result.start_ns + result.cancel_ns;
  return result;
}

template <class R>
Result run_timers_fire(const Options& options) {
  place(options.placement, 0);
  const std::size_t count = timers_of(options);
  auto timers = std::make_unique<typename R::Timers>(count);
  std::atomic<std::size_t> fired{0};
  std::atomic<std::int64_t> last{0};
  const std::int64_t due = now() + 2'000'000 + static_cast<std::int64_t>(count) * 4'000;  // all started by then
  for (std::size_t i = 0; i != count; ++i) {
    timers->start(i, due - now(), [&](std::size_t) {
      if (fired.fetch_add(1, std::memory_order_relaxed) + 1 == count) last.store(now());
    });
  }
  while (last.load() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return {.ns = static_cast<double>(last.load() - due) / static_cast<double>(count)};
}

// One timer at a time, a millisecond ahead: how late is it, and how late is the worst? Options::count others are
// pending.
template <class R>
Result run_timers_late(const Options& options) {
  place(options.placement, 0);
  constexpr std::int64_t kDelay = 1'000'000;
  const auto rounds = static_cast<std::size_t>(std::max<std::int64_t>(options.duration / kDelay, 3));
  std::vector<double> late;
  const std::size_t pending = options.count;
  auto timers = std::make_unique<typename R::Timers>(pending + rounds);
  start_pending(*timers, pending);
  for (std::size_t i = pending; i != pending + rounds; ++i) {
    std::atomic<std::int64_t> fired{0};
    const std::int64_t due = now() + kDelay;
    timers->start(i, kDelay, [&](std::size_t) { fired.store(now()); });
    while (fired.load() == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
    late.push_back(static_cast<double>(fired.load() - due));
  }
  Result result;
  result.threads = os_threads();
  for (std::size_t i = 0; i != pending; ++i) timers->cancel(i);
  std::sort(late.begin(), late.end());
  result.ns = late[rounds / 2];
  result.longest_ms = late.back() / 1e6;
  return result;
}

template <class R>
void add_timer_rows() {
  if constexpr (requires { typename R::Timers; }) {
    add("timers_start_cancel", R::kName, run_timers_start_cancel<R>);
    add("timers_fire", R::kName, run_timers_fire<R>);
    add("timers_late", R::kName, run_timers_late<R>);
  }
}

}  // namespace bench
