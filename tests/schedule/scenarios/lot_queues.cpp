// SPDX-License-Identifier: MIT
//
// The lot's queues when they change at several places at once, and waits that ask a runtime's hook.
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

// More than there are: one is woken, the rest moves, and both are counted.
LAB_SCENARIO(lot_requeue_wakes_and_moves, "one is woken, the others are moved, first come first served",
             {.bound = 1, .weak_bound = 0}) {
  const std::int64_t start = lab::monotonic_now();
  Word from{0};
  Word to{0};
  std::size_t moved = 0;
  std::size_t woken = 0;
  Atomic<std::uint32_t> let_go{0};
  const auto wait = [&](int before) {
    sleep_until(start + before);
    const ParkResult result = park_while(from, 0);
    lab::check(result.outcome == ParkOutcome::woken, "woken");
    lab::check(result.token == (before == 0 ? 7u : 8u), "by its own token");
    let_go.fetch_add(1, std::memory_order_relaxed);
  };
  lab::together(
      {{"a", [&] { wait(0); }},
       {"b", [&] { wait(1); }},
       {"c", [&] { wait(2); }},
       {"mover", [&] {
          sleep_until(start + 3);
          moved = requeue(&from, &to, kKind, [](const QueueView&) noexcept { return RequeueDecision{1, 3, 7}; });
          woken = unpark(&to, [](const QueueView& queue) noexcept { return UnparkDecision{queue.size, 8}; });
        }}});
  lab::check(moved == 3 && woken == 2 && let_go.load(std::memory_order_relaxed) == 3, "all of them, once");
}

// Three addresses in one bucket. The first and the last that wait at the one in the middle give up.
LAB_SCENARIO(lot_three_addresses_in_one_bucket, "who leaves an end of a queue leaves all queues whole",
             {.bound = 1, .weak = false}) {
  const std::int64_t start = lab::monotonic_now();
  auto* words = lab::make<std::array<Word, 64>>("words");
  std::array<Word*, 3> same{&(*words)[0], nullptr, nullptr};
  std::size_t found = 1;
  for (Word& word : *words) {
    const bool is_same = &threading::parking::bucket_of(&word) == &threading::parking::bucket_of(same[0]);
    if (is_same && &word != same[0] && found != same.size()) same[found++] = &word;
  }
  lab::check(found == same.size(), "three of 64 words are in one of 8 buckets");
  const auto stay = [&](std::size_t at, std::int64_t since) {
    return [&, at, since] {
      sleep_until(start + since);
      lab::check(park_while(*same[at], 0).outcome == ParkOutcome::woken, "woken");
    };
  };
  const auto give_up = [&](std::int64_t since) {
    return [&, since] {
      sleep_until(start + since);
      const ParkResult result = park_while(*same[1], 0, {.deadline = Deadline::at(start + kSecond)});
      lab::check(result.outcome == ParkOutcome::timed_out, "nobody wakes it");
    };
  };
  lab::together({{"below", stay(0, 0)},
                 {"first", give_up(1)},
                 {"stays", stay(1, 2)},
                 {"last", give_up(3)},
                 {"above", stay(2, 4)},
                 {"late", stay(1, kSecond + 1)},
                 {"waker", [&] {
                    sleep_until(start + kSecond + 2);
                    for (std::size_t at = 0; at != same.size(); ++at) {
                      lab::check(unpark_all(same[at]) == (at == 1 ? 2 : 1), "all who are there are found");
                    }
                  }}});
  lab::destroy(words);
}

// Asked after an interruption and now and then; the wait goes on in between, and ends as any other.
struct Hook {
  int asked = 0;
  int enough = 100;
  static bool stays(void* self) {
    auto& hook = *static_cast<Hook*>(self);
    return ++hook.asked != hook.enough;
  }
};

LAB_SCENARIO(lot_hook_keeps_the_deadline, "a hook that lets a wait go on does not end it",
             {.bound = 3, .faults = {.interrupts = 1}}) {
  Word word{0};
  Hook hook;
  const ParkResult result = park_while(
      word, 0, {.deadline = Deadline::at(2 * kSecond), .interruptible = true, .on_signal = {&Hook::stays, &hook}});
  lab::check(result.outcome == ParkOutcome::timed_out, "by its deadline");
  lab::check(lab::monotonic_now() >= 2 * kSecond, "not early");
  lab::check(hook.asked >= 1, "it was asked");
}

LAB_SCENARIO(lot_hook_against_wake, "who was chosen is woken, whatever its hook says",
             {.bound = 3, .faults = {.interrupts = 1}}) {
  Word word{0};
  std::size_t woken = 0;
  ParkOutcome outcome{};
  Hook hook{.enough = 1};
  lab::together({{"waiter",
                  [&] {
                    outcome = park_while(word, 0, {.interruptible = true, .on_signal = {&Hook::stays, &hook}}).outcome;
                  }},
                 {"waker", [&] {
                    word.store(1, std::memory_order_relaxed);
                    woken = unpark_one(&word);
                  }}});
  lab::check((woken == 1) == (outcome == ParkOutcome::woken), "woken exactly if counted");
}

}  // namespace
