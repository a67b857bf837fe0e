// SPDX-License-Identifier: MIT
//
// Events of which set() is a mere look, and those who clear them. All other scenarios are without asymmetric fences,
// where no event becomes quiet. In the lab an event that is set twice is.
#include "doorbell.hpp"

namespace {

using namespace scenarios;
using threading::Event;
using Model = lab::models::Event;
namespace detail = threading::detail;

// Above the count of fencers: it runs over when this one is set.
constexpr std::uint32_t kBeyond = detail::kEventFencers + detail::kEventFencer;

std::uint32_t word_of(const Event* event) {
  return reinterpret_cast<const Atomic<std::uint32_t>*>(event)->load(std::memory_order_relaxed);
}

std::uint32_t fencers_of(const Event* event) { return word_of(event) & detail::kEventFencers; }

Event* make_event(unsigned times_set) {
  auto* event = lab::make<Event>("event");
  lab::watch(
      "Event, quiet", event,
      detail::kEventSet | detail::kEventWaiters | detail::kEventQuiet | detail::kEventLooked | kBeyond,
      {0, detail::kEventSet, detail::kEventWaiters, detail::kEventQuiet | detail::kEventLooked, detail::kEventLooked});
  while (times_set-- != 0) event->set();
  return event;
}

Event* make_quiet_event() {
  Event* const event = make_event(2);
  lab::check(word_of(event) == (detail::kEventQuiet | detail::kEventLooked), "quiet");
  lab::check(event->is_set(), "and set");
  return event;
}

// Of a thread that sets and one that clears at the same time, one sees what the other did before.
struct Pair {
  Atomic<std::uint32_t> before_set{0};
  Atomic<std::uint32_t> before_clear{0};
  bool setter_saw = false;
  bool clearer_saw = false;

  void set(Event& event) {
    before_set.store(1, std::memory_order_relaxed);
    event.set();
    setter_saw = before_clear.load(std::memory_order_relaxed) != 0;
  }
  void clear(Event& event) {
    before_clear.store(1, std::memory_order_relaxed);
    event.clear();
    clearer_saw = before_set.load(std::memory_order_relaxed) != 0;
  }
  void check() const { lab::check(setter_saw || clearer_saw, "one sees the other"); }
};

LAB_SCENARIO(quiet_doorbell, "work stored before a set() that only looks is seen after the clear() that follows it",
             {.bound = 6, .weak_bound = 4, .stale = 2, .fences = true}) {
  ring_for_one(*make_quiet_event());
}

LAB_SCENARIO(quiet_doorbell_rung_before, "the same beside a set() that may find it being cleared",
             {.bound = 4, .weak_bound = 3, .stale = 2, .fences = true}) {
  auto* event = make_quiet_event();
  Atomic<std::uint32_t> work{0};
  lab::together({{"producer",
                  [&] {
                    event->set();
                    work.store(1, std::memory_order_relaxed);
                    event->set();
                  }},
                 {"consumer", [&] {
                    while (work.load(std::memory_order_relaxed) == 0) {
                      event->wait();
                      event->clear();
                    }
                  }}});
}

LAB_SCENARIO(quiet_doorbell_of_two, "two ring, and one of them may find it being cleared",
             {.bound = 2, .stale = 2, .fences = true, .pct_runs = 2000}) {
  ring_for_two(*make_quiet_event());
}

LAB_SCENARIO(quiet_set_against_clear, "from whatever state, set() and clear() are ordered",
             {.bound = 4, .weak_bound = 3, .faults = {.weak_cas = 1}, .stale = 2, .fences = true}) {
  auto* event = make_event(lab::choose(3));
  Pair pair;
  lab::together({{"setter", [&] { pair.set(*event); }}, {"clearer", [&] { pair.clear(*event); }}});
  pair.check();
}

LAB_SCENARIO(quiet_ordered_by_waking, "so they are when set() wakes somebody",
             {.bound = 2, .weak_bound = 2, .stale = 2, .fences = true}) {
  auto* event = make_event(0);
  Pair pair;
  lab::together({{"waiter", [&] { event->wait(); }},
                 {"clearer",
                  [&] {
                    pair.clear(*event);
                    event->set();  // for the waiter
                  }},
                 {"setter", [&] { pair.set(*event); }}});
  pair.check();
}

LAB_SCENARIO(quiet_begins, "a set() makes it quiet and another one looks, while it is cleared",
             {.bound = 5, .weak_bound = 4, .stale = 2, .fences = true}) {
  auto* event = make_event(1 + lab::choose(2));
  Pair pair;
  lab::together({{"setter",
                  [&] {
                    event->set();
                    pair.set(*event);
                  }},
                 {"clearer", [&] { pair.clear(*event); }}});
  pair.check();
}

LAB_SCENARIO(quiet_since_cleared, "a look at an event that has become quiet since it was cleared is after the clear()",
             {.bound = 5, .weak_bound = 4, .stale = 2, .fences = true}) {
  auto* event = make_event(1 + lab::choose(2));
  Pair pair;
  lab::together({{"setter", [&] { pair.set(*event); }}, {"clearer", [&] {
                                                           pair.clear(*event);
                                                           event->set();
                                                           event->set();
                                                         }}});
  pair.check();
}

LAB_SCENARIO(quiet_two_clear, "nobody finds the flag clear before what a set() that looked told is seen",
             {.bound = 3, .fences = true, .pct_runs = 5000}) {
  auto* event = make_quiet_event();
  Pair pair;
  lab::together({{"looks", [&] { pair.set(*event); }}, {"first", [&] { event->clear(); }}, {"second", [&] {
                                                                                              pair.clear(*event);
                                                                                            }}});
  pair.check();
}

// Between the fence of one clear() and its end, others clear the event, set it until it might be quiet, and look at it.
LAB_SCENARIO(quiet_again, "a clear() that is late ends no look that it has not fenced for",
             {.bound = 3, .weak_bound = 3, .fences = true}) {
  auto* event = make_quiet_event();
  Pair pair;
  lab::together({{"late", [&] { event->clear(); }},
                 {"flips",
                  [&] {
                    event->clear();
                    event->set();
                    event->set();
                    pair.clear(*event);
                  }},
                 {"looks", [&] { pair.set(*event); }}});
  pair.check();
  lab::check(fencers_of(event) == 0, "nobody fences any more");
}

// Here it is the late one itself that would find the flag clear too early, when it clears once more.
LAB_SCENARIO(quiet_late_twice, "a clear() that is late has fenced since it began to count",
             {.bound = 3, .weak_bound = 3, .fences = true}) {
  auto* event = make_quiet_event();
  Pair pair;
  lab::together({{"late",
                  [&] {
                    event->clear();
                    pair.clear(*event);
                  }},
                 {"flips",
                  [&] {
                    event->clear();
                    event->set();
                    event->set();
                    event->clear();
                  }},
                 {"looks", [&] { pair.set(*event); }}});
  pair.check();
}

LAB_SCENARIO(quiet_beside_a_waiter, "who waits beside a clear() that fences is let go by the next set()",
             {.bound = 2, .weak_bound = 1, .fences = true, .pct_runs = 2000}) {
  auto* event = make_quiet_event();
  int data = 0;
  const auto clear_and_set = [&] {
    event->clear();
    event->set();
  };
  lab::together({{"a", clear_and_set},
                 {"b",
                  [&] {
                    event->clear();
                    data = 1;
                    event->set();
                  }},
                 {"waiter", [&] { event->wait(); }}});
  lab::check(event->is_set() && data == 1, "set at the end");
  lab::check(fencers_of(event) == 0, "nobody fences any more");
  lab::destroy(event);
}

LAB_SCENARIO(quiet_history, "sets, clears and a bounded wait are explained by one order",
             {.bound = 2, .weak_bound = 1, .faults = {.timeouts = 1}, .fences = true, .pct_runs = 2000}) {
  auto* event = make_event(0);
  const auto set = [&] { lab::run(Model::kSet, 0, [&] { event->set(); }); };
  const auto clear = [&] { lab::run(Model::kClear, 0, [&] { event->clear(); }); };
  set();
  set();
  lab::together({{"waiter", [&] { lab::run(Model::kWait, 1, [&] { return event->wait(seconds(1)); }); }},
                 {"setter",
                  [&] {
                    set();
                    clear();
                  }},
                 {"clearer", [&] {
                    clear();
                    lab::run(Model::kIsSet, 0, [&] { return event->is_set(); });
                  }}});
  lab::check_linearizable(Model{});
  lab::check(fencers_of(event) == 0, "nobody fences any more");
}

LAB_SCENARIO(quiet_many_clear, "more clear()s fence than the word can count",
             {.bound = 3, .weak_bound = 2, .fences = true}) {
  auto* event = make_quiet_event();
  const auto clear = [&] { event->clear(); };
  const bool fourth_clears = lab::choose(2) != 0;
  bool was_full = false;
  lab::together({{"a", clear}, {"b", clear}, {"c", clear}, {"d", [&] {
                                                              if (fourth_clears) {
                                                                event->clear();
                                                              } else {
                                                                was_full = fencers_of(event) == detail::kEventFencers;
                                                              }
                                                            }}});
  lab::check(!event->is_set(), "clear");
  const std::uint32_t fencers = fencers_of(event);
  lab::check(fencers == detail::kEventFencers || (fencers == 0 && !was_full), "nobody fences, or for ever");
  for (int i = 0; i != 3; ++i) event->set();
  lab::check(((word_of(event) & detail::kEventQuiet) != 0) == (fencers == 0), "never quiet beside one that fences");
}

// As if another thread were between its two exchanges, and the event had been set meanwhile.
LAB_SCENARIO(quiet_clears_once, "a clear() that is late takes nothing away that was set since it cleared the flag",
             {.bound = 4, .weak_bound = 2, .fences = true, .pct_runs = 1000}) {
  auto* event = make_event(0);
  auto& word = reinterpret_cast<Atomic<std::uint32_t>&>(*event);
  word.fetch_or(detail::kEventSet | detail::kEventFencer, std::memory_order_relaxed);
  lab::together({{"late", [&] { event->clear(); }}, {"other", [&] {
                                                       while (event->is_set()) lab::yield();
                                                       word.fetch_sub(detail::kEventFencer, std::memory_order_relaxed);
                                                       event->set();
                                                       event->set();
                                                       event->clear();
                                                       event->set();
                                                     }}});
  lab::check(event->is_set(), "set at the end");
}

LAB_SCENARIO(quiet_then_destroyed, "the set() that lets a thread go leaves the event alone, also after quiet times",
             {.bound = 4, .fences = true}) {
  auto* event = make_quiet_event();
  Atomic<bool> cleared{false};
  lab::together({{"setter",
                  [&] {
                    event->clear();
                    cleared.store(true, std::memory_order_release);
                    event->set();
                  }},
                 {"waiter", [&] {
                    while (!cleared.load(std::memory_order_acquire)) detail::backend::yield();
                    event->wait();
                    lab::destroy(event);
                  }}});
}

LAB_SCENARIO(quiet_needs_fences, "where there is no heavy fence, set() writes each time",
             {.bound = 3, .weak_bound = 2, .stale = 2}) {
  auto* event = lab::make<Event>("event");
  lab::watch("Event", event, ~(detail::kEventOnce | detail::kEventOften), {0, detail::kEventSet});
  for (int i = 0; i != 4; ++i) event->set();
  Pair pair;
  lab::together({{"setter", [&] { pair.set(*event); }}, {"clearer", [&] { pair.clear(*event); }}});
  pair.check();
}

}  // namespace
