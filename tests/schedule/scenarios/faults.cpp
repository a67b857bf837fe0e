// SPDX-License-Identifier: MIT
//
// The faults that other scenarios use least: memory runs out, and a wake comes late.
#include "support.hpp"

#include <threading/condition.hpp>
#include <threading/event.hpp>
#include <threading/local.hpp>
#include <threading/semaphore.hpp>
#include <threading/thread.hpp>
#include <threading/timer.hpp>
#include <threading/with.hpp>

#include "platform/parker.hpp"

namespace {

using namespace scenarios;
using threading::Thread;

// Runs `function`; what is tried is that it either works or says so and changes nothing.
template <class Function>
bool had_memory(Function function) {
  try {
    function();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  } catch (const threading::RuntimeError&) {  // as a start says it
    return false;
  }
}

// Memory -------------------------------------------------------------------------------------------------------

LAB_SCENARIO(memory_out_at_thread_start, "a thread is made, started and joined, or nothing of it is left",
             {.bound = 5, .faults = {.allocation = 1}}) {
  const std::size_t before = lab::live_allocations();
  Atomic<std::uint32_t> runs{0};
  for (int tries = 0; tries < 2 && runs.load(std::memory_order_relaxed) == 0; ++tries) {
    had_memory([&] {
      Thread thread([&] { runs.fetch_add(1, std::memory_order_relaxed); });
      thread.start();
      thread.join();
    });
  }
  lab::check(runs.load(std::memory_order_relaxed) == 1, "the second try works");
  lab::check(threading::active_count() == 1, "only the main thread is left");
  lab::check(lab::live_allocations() == before, "all memory is given back");
}

LAB_SCENARIO(memory_out_at_timer_start, "a timer starts or stays fresh, and may be started again",
             {.bound = 3, .weak_bound = 2, .faults = {.allocation = 1}}) {
  Atomic<std::uint32_t> runs{0};
  for (int tries = 0; tries < 2 && runs.load(std::memory_order_relaxed) == 0; ++tries) {
    had_memory([&] {
      threading::Timer timer(seconds(1), [&] { runs.fetch_add(1, std::memory_order_relaxed); });
      if (!had_memory([&] { timer.start(); })) {
        lab::check(!timer.is_alive() && !timer.ident(), "fresh again");
        timer.start();
      }
      timer.join();
    });
  }
  lab::check(runs.load(std::memory_order_relaxed) == 1, "once");
}

LAB_SCENARIO(memory_out_at_local, "a value that cannot be made leaves the local as it was",
             {.bound = 1, .weak_bound = 1, .faults = {.allocation = 1}}) {
  had_memory([&] {
    threading::local<int> mine;
    if (!had_memory([&] { *mine = 1; })) *mine = 1;
    lab::check(*mine == 1, "there now");
  });
}

// Late wakes ---------------------------------------------------------------------------------------------------

// A waker has said that the waiter may go, and is held up before it tells the kernel: the waiter may have noticed
// already, left, and begun another wait.
LAB_SCENARIO(late_wake_of_parker, "a wake that comes when the parker is in use again",
             {.bound = 5, .weak_bound = 4, .faults = {.spurious = 1, .late_wakes = 1}}) {
  auto* parker = lab::make<threading::platform::Parker>("parker");
  lab::watch("parker", parker, 3, {0, 1, 2});
  Atomic<std::uint32_t> second{0};
  parker->prepare();
  lab::together({{"waiter",
                  [&] {
                    lab::check(parker->park(Deadline::never(), false) == threading::platform::ParkerOutcome::woken,
                               "woken");
                    parker->prepare();
                    second.store(1, std::memory_order_release);
                    lab::check(parker->park(Deadline::never(), false) == threading::platform::ParkerOutcome::woken,
                               "woken again");
                  }},
                 {"waker", [&] {
                    parker->unpark();
                    while (second.load(std::memory_order_acquire) == 0) lab::yield();
                    parker->unpark();
                  }}});
}

LAB_SCENARIO(late_wake_after_semaphore_is_gone, "the semaphore, and the waiter's stack, are gone when the wake lands",
             {.bound = 4, .weak_bound = 2, .faults = {.spurious = 1, .late_wakes = 1}}) {
  auto* semaphore = lab::make<threading::Semaphore>("semaphore", 0);
  lab::together({{"producer", [&] { semaphore->release(); }}, {"consumer", [&] {
                                                                 semaphore->acquire();
                                                                 lab::destroy(semaphore);
                                                               }}});
}

LAB_SCENARIO(late_wake_of_two, "two wakes are late, and no other wait takes them for its own",
             {.bound = 1, .weak_bound = 0, .faults = {.late_wakes = 2}, .pct_runs = 3000}) {
  auto* event = lab::make<threading::Event>("event");
  auto* next = lab::make<threading::Event>("next");
  Atomic<std::uint32_t> opened{0};
  const auto wait = [&] {
    event->wait();
    next->wait();
    lab::check(opened.load(std::memory_order_relaxed) == 1, "not before set()");
  };
  lab::together({{"a", wait}, {"b", wait}, {"setter", [&] {
                                              event->set();
                                              opened.store(1, std::memory_order_relaxed);
                                              next->set();
                                            }}});
}

LAB_SCENARIO(late_wake_between_lock_and_condition, "the wakes of a notify and of the release that follows come late",
             {.bound = 1, .weak_bound = 0, .faults = {.timeouts = 1, .late_wakes = 2}, .pct_runs = 3000}) {
  auto* condition = lab::make<threading::Condition>("condition");
  bool ready = false;
  const auto wait = [&] {
    threading::With hold(*condition);
    while (!ready) condition->wait(seconds(1));
  };
  lab::together({{"w", wait}, {"v", wait}, {"notifier", [&] {
                                              threading::With hold(*condition);
                                              ready = true;
                                              condition->notify_all();
                                            }}});
  lab::destroy(condition);
}

}  // namespace
