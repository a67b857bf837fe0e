// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <threading/barrier.hpp>
#include <threading/embedding.hpp>

namespace {

using namespace scenarios;
using threading::Barrier;
using threading::BrokenBarrierError;
using Model = lab::models::Barrier;

// The flags: broken, draining, failed. A set that drains may have been reset and aborted, in either order.
void watch(const Barrier* barrier) { lab::watch("Barrier", barrier, 7, {0, 1, 2, 3, 6, 7}); }

Barrier* make_barrier(std::size_t parties) {
  auto* barrier = lab::make<Barrier>("barrier", parties);
  watch(barrier);
  return barrier;
}

// Returns: the index, or -1 when the barrier broke.
template <class... Args>
int wait_at(Barrier& barrier, Args&&... args) {
  try {
    return static_cast<int>(barrier.wait(args...));
  } catch (const BrokenBarrierError&) {
    return -1;
  }
}

LAB_SCENARIO(barrier_two, "both see what the other did before", {.bound = 8, .weak_bound = 4}) {
  auto* barrier = make_barrier(2);
  int a = 0;
  int b = 0;
  lab::together({{"a",
                  [&] {
                    a = 1;
                    wait_at(*barrier);
                    lab::check(b == 1, "b's data");
                  }},
                 {"b", [&] {
                    b = 1;
                    wait_at(*barrier);
                    lab::check(a == 1, "a's data");
                  }}});
  lab::check(barrier->n_waiting() == 0 && !barrier->broken(), "as new");
  lab::destroy(barrier);
}

// OSv #857, HPX #2603: a fast thread re-enters before slow ones have left.
LAB_SCENARIO(barrier_immediate_reentry, "three generations without a pause",
             {.bound = 2, .weak_bound = 1, .pct_runs = 2000}) {
  auto* barrier = make_barrier(2);
  int rounds[2] = {0, 0};
  const auto go_round = [&](int me) {
    for (int i = 0; i < 3; ++i) {
      ++rounds[me];
      lab::check(wait_at(*barrier) >= 0, "it never breaks");
      lab::check(rounds[1 - me] >= i + 1, "nobody is a round behind");
      lab::check(wait_at(*barrier) >= 0, "it never breaks");
    }
  };
  lab::together({{"a", [&] { go_round(0); }}, {"b", [&] { go_round(1); }}});
}

LAB_SCENARIO(barrier_three_reentry, "three threads, two generations: indices are all different",
             {.bound = 1, .weak_bound = 0, .pct_runs = 4000}) {
  auto* barrier = make_barrier(3);
  Atomic<std::uint32_t> indices[2] = {{0}, {0}};
  const auto go_round = [&] {
    for (auto& seen : indices) {
      const int index = wait_at(*barrier);
      lab::check(index >= 0, "it never breaks");
      seen.fetch_or(1u << index, std::memory_order_relaxed);
    }
  };
  lab::together({{"a", go_round}, {"b", go_round}, {"c", go_round}});
  for (auto& seen : indices) lab::check(seen.load(std::memory_order_relaxed) == 7, "0, 1 and 2");
}

LAB_SCENARIO(barrier_history, "two waits, one bounded, explained by one order",
             {.bound = 2, .weak_bound = 1, .faults = {.timeouts = 1, .interrupts = 1}}) {
  auto* barrier = make_barrier(2);
  lab::together({{"a", [&] { lab::run(Model::kWait, 1, [&] { return wait_at(*barrier, seconds(1)); }); }},
                 {"b", [&] { lab::run(Model::kWait, 1, [&] { return wait_at(*barrier, seconds(1)); }); }},
                 {"looker", [&] { lab::run(Model::kBroken, 0, [&] { return barrier->broken(); }); }}});
  lab::check_linearizable(Model{});
}

LAB_SCENARIO(barrier_abort, "abort() against the thread that completes the set", {.bound = 3, .weak_bound = 2}) {
  auto* barrier = make_barrier(2);
  const auto wait = [&] { lab::run(Model::kWait, 0, [&] { return wait_at(*barrier); }); };
  lab::together(
      {{"a", wait}, {"b", wait}, {"aborter", [&] { lab::run(Model::kAbort, 0, [&] { barrier->abort(); }); }}});
  lab::check_linearizable(Model{});
}

LAB_SCENARIO(barrier_reset, "reset() against waiters and a bound",
             {.bound = 2, .weak_bound = 1, .faults = {.timeouts = 1}}) {
  auto* barrier = make_barrier(2);
  const auto wait = [&] { lab::run(Model::kWait, 1, [&] { return wait_at(*barrier, seconds(1)); }); };
  lab::together(
      {{"a", wait}, {"b", wait}, {"resetter", [&] { lab::run(Model::kReset, 0, [&] { barrier->reset(); }); }}});
  lab::check_linearizable(Model{});
}

LAB_SCENARIO(barrier_reset_after_abort, "reset() mends it while broken threads still leave",
             {.bound = 1, .weak_bound = 1, .faults = {.timeouts = 2}, .pct_runs = 3000}) {
  auto* barrier = make_barrier(2);
  const auto wait = [&] { lab::run(Model::kWait, 1, [&] { return wait_at(*barrier, seconds(1)); }); };
  lab::together({{"a", wait}, {"b", wait}, {"mender", [&] {
                                              lab::run(Model::kAbort, 0, [&] { barrier->abort(); });
                                              lab::run(Model::kReset, 0, [&] { barrier->reset(); });
                                            }}});
  lab::check_linearizable(Model{});
}

LAB_SCENARIO(barrier_stop, "a stop request breaks it for all", {.bound = 2, .weak_bound = 1}) {
  auto* barrier = make_barrier(2);
  stop_source source;
  int a = 0;
  int b = 0;
  lab::together({{"a", [&] { a = wait_at(*barrier, threading::forever, source.get_token()); }},
                 {"b", [&] { b = wait_at(*barrier); }},
                 {"stopper", [&] { source.request_stop(); }}});
  lab::check((a >= 0) == (b >= 0), "both pass or neither");
  lab::check(barrier->broken() == (a < 0), "broken exactly if they did not pass");
}

LAB_SCENARIO(barrier_action, "the action runs once, before anyone goes on", {.bound = 4}) {
  int runs = 0;
  auto* barrier = lab::make<Barrier>("barrier", std::size_t{2}, [&] { ++runs; });
  watch(barrier);
  const auto wait = [&] { lab::check(wait_at(*barrier) >= 0 && runs == 1, "the action has run"); };
  lab::together({{"a", wait}, {"b", wait}});
  lab::check(runs == 1, "once");
  lab::destroy(barrier);
}

LAB_SCENARIO(barrier_action_reentry, "newcomers wait while the action runs", {.bound = 2, .pct_runs = 3000}) {
  int runs = 0;
  auto* barrier = lab::make<Barrier>("barrier", std::size_t{2}, [&] { ++runs; });
  watch(barrier);
  const auto wait = [&] {
    for (int i = 1; i <= 2; ++i) lab::check(wait_at(*barrier) >= 0 && runs >= i, "the action has run");
  };
  lab::together({{"a", wait}, {"b", wait}});
  lab::check(runs == 2, "once a round");
}

LAB_SCENARIO(barrier_action_throws, "an action that throws breaks it for the others", {.bound = 4}) {
  auto* barrier = lab::make<Barrier>("barrier", std::size_t{2}, [] { throw 7; });
  Atomic<std::uint32_t> thrown{0};
  Atomic<std::uint32_t> broken{0};
  const auto wait = [&] {
    try {
      barrier->wait();
      lab::fail("nobody passes");
    } catch (int) {
      thrown.fetch_add(1, std::memory_order_relaxed);
    } catch (const BrokenBarrierError&) {
      broken.fetch_add(1, std::memory_order_relaxed);
    }
  };
  lab::together({{"a", wait}, {"b", wait}});
  lab::check(thrown.load(std::memory_order_relaxed) == 1 && broken.load(std::memory_order_relaxed) == 1, "one each");
  lab::check(barrier->broken(), "and it stays broken");
}

LAB_SCENARIO(barrier_action_against_abort_and_reset, "abort() and reset() while the action runs",
             {.bound = 2, .weak_bound = 1, .pct_runs = 2000}) {
  auto* barrier = lab::make<Barrier>("barrier", std::size_t{2}, [] { lab::yield(); });
  watch(barrier);
  int a = 0;
  int b = 0;
  lab::together({{"a", [&] { a = wait_at(*barrier, seconds(1)); }},
                 {"b", [&] { b = wait_at(*barrier, seconds(1)); }},
                 {"third", [&] { lab::choose(2) == 0 ? barrier->abort() : barrier->reset(); }}});
  lab::check(a < 0 || b < 0 || (a != b && a + b == 1), "indices 0 and 1");
}

LAB_SCENARIO(barrier_timeout_breaks_others, "one bound ends, and nobody is left waiting",
             {.bound = 1, .faults = {.timeouts = 1}}) {
  auto* barrier = make_barrier(3);
  int results[3];
  lab::together({{"bounded", [&] { results[0] = wait_at(*barrier, seconds(1)); }},
                 {"b", [&] { results[1] = wait_at(*barrier); }},
                 {"c", [&] { results[2] = wait_at(*barrier); }}});
  lab::check((results[0] < 0) == (results[1] < 0) && (results[1] < 0) == (results[2] < 0), "all pass or none");
}

LAB_SCENARIO(barrier_action_newcomers, "four threads, two at a time, with an action",
             {.bound = 1, .weak_bound = 0, .pct_runs = 3000}) {
  int runs = 0;
  auto* barrier = lab::make<Barrier>("barrier", std::size_t{2}, [&] { ++runs; });
  watch(barrier);
  const auto wait = [&] { lab::check(wait_at(*barrier) >= 0, "it never breaks"); };
  lab::together({{"a", wait}, {"b", wait}, {"c", wait}, {"d", wait}});
  lab::check(runs == 2, "once a set");
}

LAB_SCENARIO(barrier_reset_within_action, "reset() during the action fails the set, and only that", {.bound = 4}) {
  Barrier* barrier = nullptr;
  barrier = lab::make<Barrier>("barrier", std::size_t{2}, [&] { barrier->reset(); });
  const auto wait = [&] { lab::check(wait_at(*barrier) < 0, "reset meanwhile"); };
  lab::together({{"a", wait}, {"b", wait}});
  lab::check(!barrier->broken(), "whole again");
}

LAB_SCENARIO(barrier_abort_within_action, "abort() during the action breaks it", {.bound = 4, .weak_bound = 3}) {
  Barrier* barrier = nullptr;
  barrier = lab::make<Barrier>("barrier", std::size_t{2}, [&] { barrier->abort(); });
  const auto wait = [&] { lab::check(wait_at(*barrier) < 0, "aborted meanwhile"); };
  lab::together({{"a", wait}, {"b", wait}});
  lab::check(barrier->broken(), "and it stays broken");
}

LAB_SCENARIO(barrier_both_within_action, "reset() and abort() during the action: the last word counts",
             {.bound = 3, .weak_bound = 2}) {
  Barrier* barrier = nullptr;
  bool abort_last = false;
  barrier = lab::make<Barrier>("barrier", std::size_t{2}, [&] {
    abort_last = lab::choose(2) == 0;
    abort_last ? barrier->reset() : barrier->abort();
    abort_last ? barrier->abort() : barrier->reset();
  });
  watch(barrier);
  const auto wait = [&] { lab::check(wait_at(*barrier) < 0, "nobody passes"); };
  lab::together({{"a", wait}, {"b", wait}});
  lab::check(barrier->broken() == abort_last, "broken exactly if abort() came last");
}

LAB_SCENARIO(barrier_action_timeout, "a bound counts no more once the set is full",
             {.bound = 2, .faults = {.timeouts = 1}}) {
  auto* barrier = lab::make<Barrier>("barrier", std::size_t{2}, [] {});
  int a = 0;
  int b = 0;
  lab::together({{"a", [&] { a = wait_at(*barrier, seconds(1)); }}, {"b", [&] { b = wait_at(*barrier, seconds(2)); }}});
  lab::check((a >= 0) == (b >= 0), "both pass or neither");
}

LAB_SCENARIO(barrier_destroyed_after_pass, "a thread that has passed may destroy it", {.bound = 5, .weak_bound = 2}) {
  auto* barrier = make_barrier(2);
  Atomic<std::uint32_t> left{2};
  const auto wait = [&] {
    wait_at(*barrier);
    if (left.fetch_sub(1, std::memory_order_acq_rel) == 1) lab::destroy(barrier);
  };
  lab::together({{"a", wait}, {"b", wait}});
}

// reset() may come at any moment of the end of an action: the barrier is of use afterwards.
LAB_SCENARIO(barrier_reset_against_end_of_action, "reset() while a set drains", {.bound = 3, .weak_bound = 2}) {
  auto* barrier = lab::make<Barrier>("barrier", 1, [] {});
  lab::together({{"acting",
                  [&] {
                    try {
                      barrier->wait();
                    } catch (const threading::BrokenBarrierError&) {
                    }
                  }},
                 {"other", [&] { barrier->reset(); }}});
  lab::check(barrier->wait() == 0, "a set of the next round passes");
  lab::destroy(barrier);
}

// Who timed out wakes the others of its set, late: a set that has begun since is none of its business.
LAB_SCENARIO(barrier_next_set_against_late_breaker, "a timeout that was mended throws nobody out",
             {.bound = 2, .weak_bound = 1}) {
  auto* barrier = lab::make<Barrier>("barrier", 2);
  Atomic<std::uint32_t> mended{0};
  lab::together({{"breaker",
                  [&] {
                    bool broken = false;
                    try {
                      barrier->wait(seconds(1));
                    } catch (const threading::BrokenBarrierError&) {
                      broken = true;
                    }
                    lab::check(broken, "nobody came");
                  }},
                 {"mender",
                  [&] {
                    while (!barrier->broken()) lab::yield();
                    barrier->reset();
                    mended.store(1, std::memory_order_relaxed);
                    barrier->wait();
                  }},
                 {"party", [&] {
                    while (mended.load(std::memory_order_relaxed) == 0) lab::yield();
                    barrier->wait();
                  }}});
  lab::destroy(barrier);
}

LAB_SCENARIO(barrier_signal_uncounts, "a party that leaves for a signal and comes back breaks nothing",
             {.bound = 3, .weak_bound = 2, .faults = {.interrupts = 1}}) {
  using threading::Embedding;
  auto* barrier = lab::make<Barrier>("barrier", 2);
  lab::together({{"interrupted",
                  [&] {
                    const Embedding::Wait wait{.interruptible = true};
                    auto arrival = Embedding::arrive(*barrier, wait);
                    if (arrival.what == Embedding::Arrived::interrupted) arrival = Embedding::arrive(*barrier, wait);
                    lab::check(arrival.what == Embedding::Arrived::passed, "passed");
                  }},
                 {"other", [&] { barrier->wait(); }}});
  lab::check(!barrier->broken(), "whole");
  lab::destroy(barrier);
}

}  // namespace
