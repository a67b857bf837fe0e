// SPDX-License-Identifier: MIT
//
// The parking lot by itself: unpark, unpark all, requeue, and the third parties that end a wait.
#include "support.hpp"

#include <array>

#include "parking/table.hpp"

namespace {

using namespace scenarios;
using threading::park;
using threading::requeue;
using threading::RequeueDecision;
using threading::unpark;
using threading::unpark_all;
using threading::unpark_one;

using Word = Atomic<std::uint32_t>;

LAB_SCENARIO(lot_wake, "test under the queue lock, sleep, wake",
             {.bound = 4, .faults = {.spurious = 1, .weak_cas = 1}}) {
  Word word{0};
  int data = 0;
  lab::together({{"waiter",
                  [&] {
                    const ParkResult result = park_while(word, 0);
                    lab::check(result.outcome == ParkOutcome::woken || result.outcome == ParkOutcome::changed,
                               "let go");
                    if (result.outcome == ParkOutcome::woken)
                      lab::check(data == 1 && result.token == 7, "data and token");
                  }},
                 {"waker", [&] {
                    data = 1;
                    word.store(1, std::memory_order_relaxed);
                    unpark_one(&word, 7);
                  }}});
}

// The count that unpark() returns is what its callers reason with: it must be what happened.
LAB_SCENARIO(lot_timeout_against_wake, "a waiter counted as woken is woken",
             {.bound = 4, .weak_bound = 3, .faults = {.timeouts = 1, .interrupts = 1}}) {
  Word word{0};
  std::size_t woken = 0;
  ParkOutcome outcome{};
  lab::together(
      {{"waiter",
        [&] { outcome = park_while(word, 0, {.deadline = Deadline::at(lab::monotonic_now() + kSecond)}).outcome; }},
       {"waker", [&] {
          word.store(1, std::memory_order_relaxed);
          woken = unpark_one(&word);
        }}});
  lab::check((woken == 1) == (outcome == ParkOutcome::woken), "woken exactly if counted");
}

LAB_SCENARIO(lot_signal_against_wake, "the same for a wait that a signal may end",
             {.bound = 4, .weak_bound = 3, .faults = {.interrupts = 1}}) {
  Word word{0};
  std::size_t woken = 0;
  ParkOutcome outcome{};
  lab::together({{"waiter", [&] { outcome = park_while(word, 0, {.interruptible = true}).outcome; }},
                 {"waker", [&] {
                    word.store(1, std::memory_order_relaxed);
                    woken = unpark_one(&word);
                  }}});
  lab::check((woken == 1) == (outcome == ParkOutcome::woken), "woken exactly if counted");
}

LAB_SCENARIO(lot_stop_against_wake, "the same for a stop request", {.bound = 3, .weak_bound = 2}) {
  Word word{0};
  std::size_t woken = 0;
  ParkOutcome outcome{};
  stop_source source;
  lab::together({{"waiter",
                  [&] {
                    const stop_token token = source.get_token();
                    outcome = park_while(word, 0, {.stop = &token}).outcome;
                  }},
                 {"waker",
                  [&] {
                    word.store(1, std::memory_order_relaxed);
                    woken = unpark_one(&word);
                  }},
                 {"stopper", [&] { source.request_stop(); }}});
  lab::check((woken == 1) == (outcome == ParkOutcome::woken), "woken exactly if counted");
}

LAB_SCENARIO(lot_stop_alone, "a stop request ends a wait, whenever it comes", {.bound = 8, .weak_bound = 7}) {
  Word word{0};
  ParkOutcome outcome{};
  stop_source source;
  lab::together({{"waiter",
                  [&] {
                    const stop_token token = source.get_token();
                    outcome = park_while(word, 0, {.stop = &token}).outcome;
                  }},
                 {"stopper", [&] { source.request_stop(); }}});
  lab::check(outcome == ParkOutcome::interrupted, "interrupted");
}

// CPython gh-114944: an unpark-all took the list while an interrupted waiter unlinked itself from it.
LAB_SCENARIO(lot_wake_all_against_signal_and_timeout, "everybody is unlinked once",
             {.bound = 2, .weak_bound = 1, .faults = {.timeouts = 1, .interrupts = 1}, .pct_runs = 2000}) {
  Word word{0};
  std::size_t woken = 0;
  Atomic<std::uint32_t> seen{0};
  const auto wait = [&](const ParkOptions& options) {
    if (park_while(word, 0, options).outcome == ParkOutcome::woken) seen.fetch_add(1, std::memory_order_relaxed);
  };
  lab::together({{"signalled", [&] { wait({.interruptible = true}); }},
                 {"timed", [&] { wait({.deadline = Deadline::at(2 * kSecond)}); }},
                 {"waker", [&] {
                    word.store(1, std::memory_order_relaxed);
                    woken = unpark_all(&word);
                  }}});
  lab::check(woken == seen.load(std::memory_order_relaxed), "as many as counted");
}

LAB_SCENARIO(lot_third_parties, "timeout, stop and wake for one waiter",
             {.bound = 2, .faults = {.timeouts = 1}, .pct_runs = 2000}) {
  Word word{0};
  std::size_t woken = 0;
  int left = 0;
  ParkOutcome outcome{};
  stop_source source;
  lab::together({{"waiter",
                  [&] {
                    const stop_token token = source.get_token();
                    const ParkOptions options{.deadline = Deadline::at(2 * kSecond), .stop = &token};
                    outcome = park(
                                  &word, kKind, [&]() noexcept { return word.load(std::memory_order_relaxed) == 0; },
                                  []() noexcept {}, [&](bool, LeaveReason) noexcept { ++left; }, options)
                                  .outcome;
                  }},
                 {"waker",
                  [&] {
                    word.store(1, std::memory_order_relaxed);
                    woken = unpark_one(&word);
                  }},
                 {"stopper", [&] { source.request_stop(); }}});
  const bool gave_up = outcome == ParkOutcome::timed_out || outcome == ParkOutcome::interrupted;
  lab::check((woken == 1) == (outcome == ParkOutcome::woken), "woken exactly if counted");
  lab::check(left == (gave_up ? 1 : 0), "leave runs once, exactly for a waiter that gives up");
}

LAB_SCENARIO(lot_first_come, "waiters leave in the order they queued", {.bound = 2}) {
  Word word{0};
  Word queued{0};
  const auto wait = [&](std::uint32_t turn) {
    while (queued.load(std::memory_order_acquire) != turn) lab::yield();
    const auto validate = [&]() noexcept { return true; };
    const auto go_on = [&]() noexcept { queued.store(turn + 1, std::memory_order_release); };
    const ParkResult result = park(&word, kKind, validate, go_on, [](bool, LeaveReason) noexcept {});
    lab::check(result.token == turn + 1, "one after the other");
  };
  lab::together(
      {{"first", [&] { wait(0); }}, {"second", [&] { wait(1); }}, {"waker", [&] {
                                                                     while (queued.load(std::memory_order_acquire) != 2)
                                                                       lab::yield();
                                                                     unpark_one(&word, 1);
                                                                     unpark_one(&word, 2);
                                                                   }}});
}

LAB_SCENARIO(lot_at_front, "who lost a race queues up before everybody else", {.bound = 2}) {
  Word word{0};
  Word queued{0};
  const auto wait = [&](std::uint32_t turn, bool at_front, std::uintptr_t expected) {
    while (queued.load(std::memory_order_acquire) != turn) lab::yield();
    const auto go_on = [&]() noexcept { queued.store(turn + 1, std::memory_order_release); };
    const ParkResult result = park(
        &word, kKind, []() noexcept { return true; }, go_on, [](bool, LeaveReason) noexcept {}, {.at_front = at_front});
    lab::check(result.token == expected, "the one at the front goes first");
  };
  lab::together({{"early", [&] { wait(0, false, 2); }},
                 {"front", [&] { wait(1, true, 1); }},
                 {"waker", [&] {
                    while (queued.load(std::memory_order_acquire) != 2) lab::yield();
                    unpark_one(&word, 1);
                    unpark_one(&word, 2);
                  }}});
}

// Eight buckets, so two of nine addresses share one.
LAB_SCENARIO(lot_two_addresses_in_one_bucket, "a wake finds its own address only", {.bound = 2}) {
  auto* words = lab::make<std::array<Word, 64>>("words");
  Word* const one = &(*words)[0];
  Word* other = nullptr;
  for (auto& word : *words) {
    if (&word != one && &threading::parking::bucket_of(&word) == &threading::parking::bucket_of(one)) other = &word;
  }
  lab::check(other != nullptr, "some address shares the bucket");
  const auto wait = [](Word* word) {
    while (park_while(*word, 0).outcome == ParkOutcome::woken && word->load(std::memory_order_acquire) == 0)
      lab::fail("woken for another address");
  };
  lab::together({{"a", [&] { wait(one); }}, {"b", [&] { wait(other); }}, {"waker", [&] {
                                                                            one->store(1, std::memory_order_release);
                                                                            unpark_one(one);
                                                                            other->store(1, std::memory_order_release);
                                                                            unpark_one(other);
                                                                          }}});
}

// Leave as soon as woken: the waiter's stack and the word are gone before the waker has returned.
LAB_SCENARIO(lot_memory_gone_at_wake, "the waker touches nothing of a waiter that left",
             {.bound = 5, .weak_bound = 4, .faults = {.timeouts = 1}}) {
  auto* word = lab::make<Word>("word", 0);
  lab::together({{"waiter",
                  [&] {
                    const ParkResult result = park_while(*word, 0, {.deadline = Deadline::at(2 * kSecond)});
                    if (result.outcome == ParkOutcome::timed_out) {
                      while (word->load(std::memory_order_acquire) == 0) lab::yield();
                    }
                    if (result.outcome != ParkOutcome::woken)
                      unpark_all(word);
                    else
                      lab::destroy(word);
                  }},
                 {"waker", [&] {
                    const void* const address = word;
                    unpark(address, [&](const QueueView& queue) noexcept {
                      word->store(1, std::memory_order_release);
                      return UnparkDecision{queue.size};
                    });
                  }}});
}

LAB_SCENARIO(lot_requeue_against_timeout, "a moved waiter no longer times out, and its wake is not lost",
             {.bound = 4, .weak_bound = 3, .faults = {.timeouts = 1}}) {
  Word from{0};
  Word to{0};
  std::size_t moved = 0;
  std::size_t woken = 0;
  ParkOutcome outcome{};
  lab::together({{"waiter", [&] { outcome = park_while(from, 0, {.deadline = Deadline::at(2 * kSecond)}).outcome; }},
                 {"mover", [&] {
                    from.store(1, std::memory_order_relaxed);
                    moved = requeue(&from, &to, kKind, [](const QueueView& queue) noexcept {
                      return RequeueDecision{0, queue.size};
                    });
                    woken = unpark_one(&to);
                  }}});
  lab::check(moved == woken, "who was moved is woken");
  lab::check((moved == 1) == (outcome == ParkOutcome::woken), "and nobody else");
}

LAB_SCENARIO(lot_requeue_against_stop, "nor does a stop request end its wait", {.bound = 2}) {
  Word from{0};
  Word to{0};
  std::size_t moved = 0;
  std::size_t woken = 0;
  ParkOutcome outcome{};
  stop_source source;
  lab::together({{"waiter",
                  [&] {
                    const stop_token token = source.get_token();
                    outcome = park_while(from, 0, {.stop = &token}).outcome;
                  }},
                 {"mover",
                  [&] {
                    from.store(1, std::memory_order_relaxed);
                    moved = requeue(&from, &to, kKind, [](const QueueView& queue) noexcept {
                      return RequeueDecision{0, queue.size};
                    });
                    woken = unpark_one(&to);
                  }},
                 {"stopper", [&] { source.request_stop(); }}});
  lab::check(moved == woken, "who was moved is woken");
  lab::check((moved == 1) == (outcome == ParkOutcome::woken), "and nobody else");
}

// Two movers in opposite directions lock the two buckets in one order.
LAB_SCENARIO(lot_requeue_both_ways, "opposite requeues do not deadlock", {.bound = 6, .weak_bound = 5}) {
  auto* words = lab::make<std::array<Word, 8>>("words");
  Word* const a = &(*words)[0];
  Word* b = &(*words)[1];
  for (auto& word : *words) {
    if (&threading::parking::bucket_of(&word) != &threading::parking::bucket_of(a)) b = &word;
  }
  const auto move = [](Word* from, Word* to) {
    requeue(from, to, kKind, [](const QueueView& queue) noexcept { return RequeueDecision{0, queue.size}; });
  };
  lab::together({{"there", [&] { move(a, b); }}, {"back", [&] { move(b, a); }}});
}

LAB_SCENARIO(lot_spinning, "two processors: waiters spin before they sleep", {.bound = 8, .cpus = 2}) {
  Word word{0};
  lab::together({{"waiter",
                  [&] {
                    while (word.load(std::memory_order_acquire) == 0) static_cast<void>(park_while(word, 0));
                  }},
                 {"waker", [&] {
                    word.store(1, std::memory_order_release);
                    unpark_one(&word);
                  }}});
}

}  // namespace
