// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <cstdint>
#include <limits>

#include <threading/semaphore.hpp>

namespace {

using namespace scenarios;
using threading::BoundedSemaphore;
using threading::Semaphore;
using Model = lab::models::Semaphore;

Semaphore* make_semaphore(std::ptrdiff_t value) {
  auto* semaphore = lab::make<Semaphore>("semaphore", value);
  // Bits 62 and 63 together: somebody may be queued; bit 63 alone: and the next unit is for the first of them; bit 0:
  // the counter is odd, which tells 0 from 1 in most scenarios.
  constexpr std::uint64_t kWaiters = 3ull << 62;
  constexpr std::uint64_t kOwed = 1ull << 63 | 1;
  lab::watch("Semaphore", semaphore, kWaiters | 1, {0, 1, kWaiters, kWaiters | 1, kOwed});
  return semaphore;
}

LAB_SCENARIO(semaphore_pass_data, "a unit carries what its producer did", {.bound = 8, .weak_bound = 7}) {
  auto* semaphore = make_semaphore(0);
  int data = 0;
  lab::together({{"producer",
                  [&] {
                    data = 1;
                    semaphore->release();
                  }},
                 {"consumer", [&] {
                    semaphore->acquire();
                    lab::check(data == 1, "data");
                    lab::destroy(semaphore);
                  }}});
}

// libstdc++ 12 std::counting_semaphore: release skips the wake while a waiter that lost a race goes to sleep.
LAB_SCENARIO(semaphore_two_and_two, "two producers and two consumers: nobody sleeps beside a unit",
             {.bound = 2, .weak_bound = 0, .pct_runs = 3000}) {
  auto* semaphore = make_semaphore(0);
  const auto produce = [&] { semaphore->release(); };
  const auto consume = [&] { semaphore->acquire(); };
  lab::together({{"p", produce}, {"q", produce}, {"c", consume}, {"d", consume}});
  lab::check(semaphore->value() == 0, "all units are used");
}

LAB_SCENARIO(semaphore_ping_pong, "consumers that come back and barge",
             {.bound = 2, .weak_bound = 1, .faults = {.clock_jumps = 1}, .pct_runs = 2000}) {
  auto* semaphore = make_semaphore(1);
  int n = 0;
  const auto use = [&] {
    for (int i = 0; i < 2; ++i) {
      semaphore->acquire();
      ++n;
      semaphore->release();
    }
  };
  lab::together({{"a", use}, {"b", use}, {"c", use}});
  lab::check(n == 6 && semaphore->value() == 1, "all count");
}

LAB_SCENARIO(semaphore_bound_ping_pong, "what threads do in turns is seen, whichever way they release",
             {.bound = 2, .weak_bound = 1}) {
  auto* semaphore = lab::make<BoundedSemaphore>("bounded", 1);
  int n = 0;
  const auto use = [&] {
    semaphore->acquire();
    ++n;
    semaphore->release();
  };
  lab::together({{"a", use}, {"b", use}, {"c", use}});
  lab::check(n == 3 && semaphore->value() == 1, "all count");
}

// The release has added its unit when it learns that somebody waits; by then it may be gone.
LAB_SCENARIO(semaphore_newcomer_takes_the_unit, "nobody is handed what a newcomer has",
             {.bound = 2, .weak_bound = 1, .faults = {.clock_jumps = 1}}) {
  auto* semaphore = make_semaphore(0);
  int n = 0;
  lab::together({{"waiter",
                  [&] {
                    semaphore->acquire();
                    ++n;
                  }},
                 {"producer", [&] { semaphore->release(); }},
                 {"newcomer", [&] {
                    if (!semaphore->acquire(false)) return;
                    ++n;
                    semaphore->release();
                  }}});
  lab::check(semaphore->value() == 0, "the waiter has it in the end");
}

// A newcomer was faster than who is overdue. The next unit is never there for all.
LAB_SCENARIO(semaphore_is_owed, "nobody takes a second unit from who has waited for long",
             {.bound = 2, .weak_bound = 1, .faults = {.clock_jumps = 1}}) {
  auto* semaphore = make_semaphore(0);
  enum : std::uint32_t { kNotYet, kTaken, kNothing, kReleasing, kOwed };
  Atomic<std::uint32_t> newcomer{kNotYet};
  Atomic<std::uint32_t> first_release{kNotYet};
  lab::together({{"waiter", [&] { semaphore->acquire(); }},
                 {"newcomer",
                  [&] {
                    const bool is_faster = semaphore->try_acquire();
                    newcomer.store(is_faster ? kTaken : kNothing, std::memory_order_relaxed);
                    if (!is_faster) return;
                    while (first_release.load(std::memory_order_relaxed) == kNotYet) lab::yield();
                    newcomer.store(kReleasing, std::memory_order_relaxed);
                    semaphore->release();
                  }},
                 {"producer", [&] {
                    until_queued(semaphore);
                    const bool is_old =
                        lab::monotonic_now() - view_of(semaphore).first_since > threading::kHandOverAfter;
                    semaphore->release();
                    const bool is_owed = is_old && newcomer.load(std::memory_order_relaxed) == kTaken;
                    first_release.store(is_owed ? kOwed : kNothing, std::memory_order_relaxed);
                    if (!is_owed) return;
                    while (newcomer.load(std::memory_order_relaxed) == kTaken) lab::yield();
                    lab::check(!semaphore->try_acquire(), "it is for who has waited");
                  }}});
  lab::check(semaphore->value() == 0, "the waiter has it");
}

// The unit that is owed to one who gives up is there for all.
LAB_SCENARIO(semaphore_is_owed_to_who_gives_up, "no unit and no mark is left behind by who was owed one",
             {.bound = 2, .weak_bound = 1, .faults = {.timeouts = 1, .clock_jumps = 1}}) {
  auto* semaphore = make_semaphore(0);
  bool taken = false;
  lab::together({{"timed", [&] { taken = semaphore->acquire(seconds(1)); }},
                 {"newcomer",
                  [&] {
                    if (semaphore->try_acquire()) semaphore->release();
                  }},
                 {"producer", [&] { semaphore->release(); }}});
  lab::check(semaphore->value() == (taken ? 0 : 1), "the unit is somewhere");
  lab::check(!semaphore->try_acquire() == taken, "and can be taken");
}

LAB_SCENARIO(semaphore_release_many, "release(2) lets two waiters go", {.bound = 2, .faults = {.clock_jumps = 1}}) {
  auto* semaphore = make_semaphore(0);
  const auto consume = [&] { semaphore->acquire(); };
  lab::together({{"c", consume}, {"d", consume}, {"p", [&] { semaphore->release(2); }}});
  lab::check(semaphore->value() == 0, "all units are used");
}

LAB_SCENARIO(semaphore_timeout_against_release, "a unit is not lost to a waiter that gave up",
             {.bound = 3, .faults = {.timeouts = 1, .interrupts = 1}}) {
  auto* semaphore = make_semaphore(0);
  bool taken = false;
  lab::together(
      {{"timed", [&] { taken = semaphore->acquire(seconds(1)); }}, {"producer", [&] { semaphore->release(); }}});
  lab::check(semaphore->value() == (taken ? 0 : 1), "the unit is somewhere");
}

LAB_SCENARIO(semaphore_timeout_beside_a_waiter, "one gives up, the other gets the unit",
             {.bound = 2, .weak_bound = 1, .faults = {.timeouts = 1}}) {
  auto* semaphore = make_semaphore(0);
  bool taken = false;
  lab::together({{"timed",
                  [&] {
                    taken = semaphore->acquire(seconds(1));
                    if (taken) semaphore->release();
                  }},
                 {"patient", [&] { semaphore->acquire(); }},
                 {"producer", [&] { semaphore->release(); }}});
  lab::check(semaphore->value() == 0, "the patient one has it");
}

LAB_SCENARIO(semaphore_stop_beside_a_waiter, "one is stopped, the other gets the unit",
             {.bound = 1, .pct_runs = 3000}) {
  auto* semaphore = make_semaphore(0);
  stop_source source;
  lab::together({{"stoppable",
                  [&] {
                    if (semaphore->acquire(threading::forever, source.get_token())) semaphore->release();
                  }},
                 {"patient", [&] { semaphore->acquire(); }},
                 {"producer", [&] { semaphore->release(); }},
                 {"stopper", [&] { source.request_stop(); }}});
  lab::check(semaphore->value() == 0, "the patient one has it");
}

LAB_SCENARIO(semaphore_bound_is_never_passed, "two releases race for the last place below the bound", {.bound = 5}) {
  auto* semaphore = lab::make<BoundedSemaphore>("bounded", 1);
  semaphore->acquire();
  const auto release = [&] { lab::run(Model::kRelease, 1, [&] { return done([&] { semaphore->release(); }); }); };
  lab::together({{"a", release}, {"b", release}});
  lab::check_linearizable(Model{.value = 0, .bound = 1});
}

LAB_SCENARIO(semaphore_bound_beside_a_waiter, "the same with a thread that waits", {.bound = 2, .weak_bound = 1}) {
  auto* semaphore = lab::make<BoundedSemaphore>("bounded", 1);
  semaphore->acquire();
  const auto release = [&] {
    lab::run(Model::kRelease, 1, [&] { return done([&] { semaphore->release(); }); });
    lab::run(Model::kValue, 0, [&] { return semaphore->value(); });
  };
  lab::together({{"a", release}, {"b", release}, {"c", [&] {
                                                    lab::run(Model::kAcquire, 0, [&] { return semaphore->acquire(); });
                                                  }}});
  lab::check_linearizable(Model{.value = 0, .bound = 1});
}

// A release that finds the counter at its end has added its unit already.
LAB_SCENARIO(semaphore_end_is_never_passed, "of two releases at the end one fits if a unit was taken before",
             {.bound = 4}) {
  constexpr std::int64_t kMax = std::numeric_limits<std::ptrdiff_t>::max();
  auto* semaphore = lab::make<Semaphore>("semaphore", kMax);
  const auto release = [&] {
    lab::run(Model::kRelease, 1, [&] {
      try {
        semaphore->release();
      } catch (const threading::OverflowError&) {
        return 0;
      }
      return 1;
    });
  };
  lab::together({{"a", release}, {"b", [&] {
                                    lab::run(Model::kAcquire, 0, [&] { return semaphore->acquire(); });
                                    release();
                                  }}});
  lab::run(Model::kValue, 0, [&] { return semaphore->value(); });
  lab::check_linearizable(Model{.value = kMax, .bound = kMax});
}

LAB_SCENARIO(semaphore_history, "tries, waits and releases are explained by one order",
             {.bound = 2, .faults = {.timeouts = 1}}) {
  auto* semaphore = make_semaphore(1);
  lab::together({{"a", [&] { lab::run(Model::kAcquire, 0, [&] { return semaphore->acquire(false); }); }},
                 {"b", [&] { lab::run(Model::kAcquire, 1, [&] { return semaphore->acquire(seconds(1)); }); }},
                 {"c", [&] { lab::run(Model::kRelease, 1, [&] { return done([&] { semaphore->release(); }); }); }}});
  lab::check_linearizable(Model{.value = 1});
}

// glibc's old sem_post touched the semaphore after the post that let its destroyer go.
LAB_SCENARIO(semaphore_destroyed_after_acquire, "after release() only the address is used",
             {.bound = 5, .weak_bound = 4, .faults = {.clock_jumps = 1}}) {
  auto* semaphore = make_semaphore(0);
  lab::together({{"producer", [&] { semaphore->release(); }}, {"consumer", [&] {
                                                                 semaphore->acquire();
                                                                 lab::destroy(semaphore);
                                                               }}});
}

// The release has added its unit, and is on its way to the waiter, who gives up, and then has the unit.
LAB_SCENARIO(semaphore_destroyed_after_a_timeout, "a release that comes late does not look at the word",
             {.bound = 4, .weak_bound = 3, .faults = {.timeouts = 1}}) {
  auto* semaphore = make_semaphore(0);
  lab::together({{"producer", [&] { semaphore->release(); }}, {"consumer", [&] {
                                                                 if (!semaphore->acquire(seconds(1)))
                                                                   semaphore->acquire();
                                                                 lab::destroy(semaphore);
                                                               }}});
}

// A release that comes late finds another that waits where the semaphore was.
LAB_SCENARIO(semaphore_release_comes_late_to_another, "a late release takes nothing from the next semaphore there",
             {.bound = 2, .weak_bound = 1, .faults = {.timeouts = 1}}) {
  void* const memory = ::operator new(sizeof(Semaphore));
  auto* const semaphore = ::new (memory) Semaphore(0);
  Atomic<Semaphore*> other{nullptr};
  lab::together({{"producer", [&] { semaphore->release(); }},
                 {"consumer",
                  [&] {
                    if (!semaphore->acquire(seconds(1))) semaphore->acquire();
                    semaphore->~Semaphore();
                    auto* const fresh = ::new (memory) Semaphore(0);
                    other.store(fresh, std::memory_order_release);
                    fresh->acquire();
                  }},
                 {"another producer", [&] {
                    while (other.load(std::memory_order_acquire) == nullptr) lab::yield();
                    auto* const fresh = other.load(std::memory_order_relaxed);
                    fresh->release();
                    if (fresh->try_acquire()) fresh->release();
                    fresh->release();
                  }}});
  lab::check(other.load(std::memory_order_relaxed)->value() == 1, "one is left");
  other.load(std::memory_order_relaxed)->~Semaphore();
  ::operator delete(memory);
}

// Every way to add and to wait.
LAB_SCENARIO(semaphore_mixture, "one unit, two, a bound of time: all units are somewhere",
             {.bound = 1, .weak_bound = 0, .faults = {.timeouts = 1, .clock_jumps = 1}, .pct_runs = 2000}) {
  auto* semaphore = make_semaphore(0);
  Atomic<std::int32_t> taken{0};
  const auto note = [&](bool took) { taken.fetch_add(took ? 1 : 0, std::memory_order_relaxed); };
  lab::together({{"timed", [&] { note(semaphore->acquire(seconds(1))); }},
                 {"patient", [&] { note(semaphore->acquire()); }},
                 {"one",
                  [&] {
                    semaphore->release();
                    note(semaphore->try_acquire());
                  }},
                 {"two", [&] { semaphore->release(2); }}});
  lab::check(semaphore->value() + taken.load(std::memory_order_relaxed) == 3, "every unit is taken or there");
  for (std::int32_t left = taken.load(std::memory_order_relaxed); left < 3; ++left)
    lab::check(semaphore->try_acquire(), "and can be taken");
  lab::check(!semaphore->acquire(seconds(1)), "no more than those");
}

}  // namespace
