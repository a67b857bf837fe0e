// SPDX-License-Identifier: MIT
#include <optional>

#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/thread.hpp>

#include <schedule/platform.hpp>
#include "platform/thread_exit.hpp"

#include "support.hpp"
#include "threads/thread_state.hpp"

namespace {

using namespace scenarios;
using threading::Thread;

// Phase in bits 0 and 1, then claimed, parked, handle.
void watch(const Thread& thread) {
  lab::watch("Thread", &threading::detail::ThreadAccess::state(thread).join.word, 31,
             {0,                             // fresh
              1, 2, 1 | 8, 2 | 8,            // alive, ended; parked or not; its OS thread not known yet
              17, 18, 17 | 8, 18 | 8,        // the same, known
              21, 22, 21 | 8, 22 | 8, 23});  // the same, claimed; and over, which only a claimer makes it
}

LAB_SCENARIO(thread_start_and_join, "what the thread did is seen after join(), and nothing of it is left",
             {.bound = 8}) {
  const std::size_t before = lab::live_allocations();
  {
    int data = 0;
    Thread thread([&] { data = 1; });
    thread.start();
    thread.join();
    lab::check(data == 1 && !thread.is_alive(), "it has run, and is over");
    lab::check(threading::active_count() == 1, "only the main thread is left");
  }
  lab::check(lab::live_allocations() == before, "all memory is given back");
}

LAB_SCENARIO(thread_two_joiners, "any number of threads may join", {.bound = 2, .weak_bound = 1}) {
  int data = 0;
  Thread thread([&] { data = 1; });
  watch(thread);
  thread.start();
  const auto join = [&] {
    thread.join();
    lab::check(data == 1, "it has run");
  };
  lab::together({{"a", join}, {"b", join}});
}

LAB_SCENARIO(thread_bounded_join_against_end, "a bound and the end at the same time",
             {.bound = 3, .faults = {.timeouts = 1}}) {
  int data = 0;
  Thread thread([&] { data = 1; });
  watch(thread);
  thread.start();
  if (thread.join(seconds(1))) lab::check(data == 1 && !thread.is_alive(), "it is over");
  thread.join();
  lab::check(data == 1, "it has run");
}

// Nothing polls: while the joined thread can move, the clock need not.
LAB_SCENARIO(thread_bounded_join_takes_no_time, "two bounded joins end with the thread, not with their bounds",
             {.bound = 1, .pct_runs = 2000}) {
  Thread thread([] {});
  watch(thread);
  thread.start();
  const std::int64_t before = lab::monotonic_now();
  const auto join = [&] { lab::check(thread.join(seconds(1)), "joined"); };
  lab::together({{"a", join}, {"b", join}});
  lab::check(lab::monotonic_now() - before < kSecond / 2, "no time has passed");
}

LAB_SCENARIO(thread_bounded_and_unbounded_join, "one joiner gives up, the other claims the end",
             {.bound = 1, .faults = {.timeouts = 1}, .pct_runs = 2000}) {
  Thread thread([] {});
  watch(thread);
  thread.start();
  lab::together({{"bounded",
                  [&] {
                    if (thread.join(seconds(1))) lab::check(!thread.is_alive(), "it is over");
                  }},
                 {"patient", [&] {
                    thread.join();
                    lab::check(!thread.is_alive(), "it is over");
                  }}});
}

LAB_SCENARIO(thread_two_bounded_joins, "whoever is woken by the end waits for the rest of it",
             {.bound = 1, .faults = {.timeouts = 1}, .pct_runs = 2000}) {
  Thread thread([] {});
  watch(thread);
  thread.start();
  const auto join = [&] {
    if (thread.join(seconds(1))) lab::check(!thread.is_alive(), "it is over");
  };
  lab::together({{"a", join}, {"b", join}});
}

LAB_SCENARIO(thread_join_against_stop, "a stop request and the end at the same time", {.bound = 1, .pct_runs = 2000}) {
  Thread thread([] {});
  stop_source source;
  watch(thread);
  thread.start();
  lab::together({{"joiner",
                  [&] {
                    if (thread.join(threading::forever, source.get_token())) lab::check(!thread.is_alive(), "over");
                  }},
                 {"stopper", [&] { source.request_stop(); }}});
  thread.join();
}

// CPython gh-140746: a start that fails must not leave anybody waiting.
LAB_SCENARIO(thread_start_fails, "the system has no thread: the object is fresh again",
             {.bound = 8, .faults = {.spawn = 1}}) {
  int runs = 0;
  Thread thread([&] { ++runs; });
  watch(thread);
  if (done([&] { thread.start(); }) == 0) {
    lab::check(!thread.is_alive() && !thread.ident(), "fresh again");
    lab::check(threading::active_count() == 1, "not listed");
    thread.start();
  }
  thread.join();
  lab::check(runs == 1, "it has run once");
}

LAB_SCENARIO(thread_start_fails_beside_joiner, "nobody waits for a thread whose start failed",
             {.bound = 2, .weak_bound = 1, .faults = {.spawn = 1}, .pct_runs = 2000}) {
  Thread thread([] {});
  watch(thread);
  lab::together({{"starter", [&] { done([&] { thread.start(); }); }},
                 {"joiner", [&] { done([&] { thread.join(); }); }},
                 {"asker", [&] { static_cast<void>(thread.native_id()); }}});
  if (thread.is_alive()) thread.join();
}

// The same with a starter that insists: the joiner meets the second start as well.
LAB_SCENARIO(thread_started_again_beside_joiner, "a start that fails, and the next, against a joiner",
             {.bound = 1, .weak_bound = 1, .faults = {.spawn = 1}, .pct_runs = 3000}) {
  int data = 0;
  Thread thread([&] { data = 1; });
  watch(thread);
  lab::together({{"starter",
                  [&] {
                    if (done([&] { thread.start(); }) == 0) thread.start();
                  }},
                 {"joiner", [&] {
                    for (int i = 0; i < 2; ++i) done([&] { thread.join(); });
                  }}});
  thread.join();
  lab::check(data == 1, "it has run");
}

// In a forked child a start has something new to say: which process the thread belongs to.
LAB_SCENARIO(thread_started_in_a_child_beside_joiner, "a start in a forked child, against a joiner",
             {.bound = 1, .weak_bound = 1, .pct_runs = 2000}) {
  if (!lab::fork_here()) return;
  Thread thread([] {});
  lab::together({{"starter", [&] { thread.start(); }}, {"joiner", [&] { done([&] { thread.join(); }); }}});
  thread.join();
}

// Not by join(): whoever sees that a thread is over may look at what it did.
LAB_SCENARIO(thread_seen_over, "what the thread did is seen by who sees it not alive", {.bound = 2, .weak_bound = 1}) {
  int data = 0;
  Thread thread([&] { data = 1; });
  thread.start();
  while (thread.is_alive()) lab::yield();
  lab::check(data == 1, "its data");
  thread.join();
}

LAB_SCENARIO(thread_started_twice, "of two starts one throws", {.bound = 1, .pct_runs = 2000}) {
  Atomic<std::uint32_t> runs{0};
  Atomic<std::uint32_t> starts{0};
  Thread thread([&] { runs.fetch_add(1, std::memory_order_relaxed); });
  const auto start = [&] {
    if (done([&] { thread.start(); }) == 1) starts.fetch_add(1, std::memory_order_relaxed);
  };
  watch(thread);
  lab::together({{"a", start}, {"b", start}});
  thread.join();
  lab::check(runs.load(std::memory_order_relaxed) == 1 && starts.load(std::memory_order_relaxed) == 1, "one did");
}

LAB_SCENARIO(thread_last_handle_dropped, "a thread outlives its handles, and cleans up alone", {.bound = 3}) {
  Atomic<std::uint32_t> ran{0};
  {
    Thread thread([&] { ran.store(1, std::memory_order_release); });
    thread.start();
  }
  while (ran.load(std::memory_order_acquire) == 0) lab::yield();
  while (threading::active_count() != 1) lab::yield();
}

// Nobody runs: the thread's own reference goes with the last handle, whichever that is.
LAB_SCENARIO(thread_not_started_is_dropped_by_two, "the last handle of a thread that was not started ends it",
             {.bound = 8}) {
  const std::size_t before = lab::live_allocations();
  {
    std::optional<Thread> a;
    a.emplace([] {});
    std::optional<Thread> b(a);
    lab::together({{"a", [&] { a.reset(); }}, {"b", [&] { b.reset(); }}});
  }
  lab::check(lab::live_allocations() == before, "all memory is given back");
}

// Where the other handle is dropped: before, while and after the thread is started, runs, or cannot be started.
LAB_SCENARIO(thread_started_beside_a_drop, "a handle is dropped while another starts the thread, or fails to",
             {.bound = 3, .weak_bound = 2, .faults = {.spawn = 1}, .pct_runs = 2000}) {
  const std::size_t before = lab::live_allocations();
  int data = 0;
  bool started = false;
  {
    std::optional<Thread> a;
    a.emplace([&] { data = 1; });
    std::optional<Thread> b(a);
    lab::together({{"starter",
                    [&] {
                      started = done([&] { a->start(); }) == 1;
                      if (started) a->join();
                      a.reset();
                    }},
                   {"dropper", [&] { b.reset(); }}});
  }
  lab::check(data == (started ? 1 : 0), "it has run if it was started");
  lab::check(lab::live_allocations() == before, "all memory is given back");
}

LAB_SCENARIO(thread_handle_dropped_by_itself, "the thread has the last handle to itself", {.bound = 3}) {
  Atomic<std::uint32_t> ran{0};
  std::optional<Thread> thread;
  thread.emplace([&] {
    const Thread self = threading::current_thread();
    while (ran.load(std::memory_order_acquire) != 1) lab::yield();
    ran.store(2, std::memory_order_release);
  });
  thread->start();
  thread.reset();
  ran.store(1, std::memory_order_release);
  while (ran.load(std::memory_order_acquire) != 2) lab::yield();
  while (threading::active_count() != 1) lab::yield();
}

LAB_SCENARIO(thread_stop_token, "Joining asks its thread to stop, and joins", {.bound = 3}) {
  bool stopped = false;
  {
    threading::Joining thread(threading::spawn([&](const stop_token& token) {
      while (!token.stop_requested()) lab::yield();
      stopped = true;
    }));
  }
  lab::check(stopped, "it was asked");
}

LAB_SCENARIO(thread_enumerate_against_end, "who lists threads keeps them", {.bound = 3}) {
  Thread thread([] {});
  watch(thread);
  thread.start();
  for (const Thread& found : threading::enumerate()) {
    lab::check(found == thread || found == threading::main_thread(), "nobody else");
    static_cast<void>(found.name());
  }
  thread.join();
  lab::check(threading::enumerate().size() == 1, "a joined thread is not listed");
}

LAB_SCENARIO(thread_joined_from_a_list, "a thread found in the list may be joined while it starts",
             {.bound = 1, .pct_runs = 2000}) {
  Thread thread([] {});
  watch(thread);
  lab::together({{"starter", [&] { thread.start(); }}, {"lister", [&] {
                                                          for (const Thread& found : threading::enumerate()) {
                                                            if (found == thread) found.join();
                                                          }
                                                        }}});
  thread.join();
}

LAB_SCENARIO(thread_native_id_against_start, "the native id is waited for", {.bound = 2, .weak_bound = 1}) {
  Thread thread([] {});
  watch(thread);
  lab::together({{"starter", [&] { thread.start(); }}, {"asker", [&] {
                                                          const bool started = thread.is_alive();
                                                          const auto id = thread.native_id();
                                                          lab::check(!started || id.has_value() || !thread.is_alive(),
                                                                     "an alive thread has one");
                                                        }}});
  thread.join();
}

LAB_SCENARIO(thread_dummy, "a foreign thread gets a Thread of its own, gone when it ends",
             {.bound = 2, .pct_runs = 2000}) {
  std::optional<Thread> seen;
  lab::together({{"foreign",
                  [&] {
                    seen = threading::current_thread();
                    lab::check(seen->is_alive() && seen->daemon(), "alive, and a daemon");
                    lab::check(threading::current_thread() == *seen, "the same again");
                  }},
                 {"other", [&] { static_cast<void>(threading::enumerate()); }}});
  lab::check(!seen->is_alive(), "over");
  lab::check(threading::active_count() <= 1, "nobody is left");
}

LAB_SCENARIO(thread_failure, "what leaves run() reaches the hook, and exception()", {.bound = 8}) {
  int caught = 0;
  threading::set_excepthook(
      [&](const threading::ExceptHookArgs& args) { caught = args.thread == threading::current_thread() ? 1 : 2; });
  Thread thread([] { throw 7; });
  watch(thread);
  thread.start();
  thread.join();
  lab::check(caught == 1, "in the failing thread");
  lab::check(thread.exception() != nullptr, "and it is kept");
  threading::set_excepthook({});
}

LAB_SCENARIO(thread_failure_against_hook_change, "the hook is changed while a thread fails",
             {.bound = 3, .pct_runs = 2000}) {
  Atomic<std::uint32_t> calls{0};
  const auto hook = [&](const threading::ExceptHookArgs&) { calls.fetch_add(1, std::memory_order_relaxed); };
  threading::set_excepthook(hook);
  Thread thread([] { throw 7; });
  watch(thread);
  thread.start();
  threading::set_excepthook(hook);
  thread.join();
  lab::check(calls.load(std::memory_order_relaxed) == 1, "one of the hooks was called");
  threading::set_excepthook({});
}

LAB_SCENARIO(thread_renamed_by_others, "a name is read and changed by anyone", {.bound = 3, .pct_runs = 2000}) {
  Thread thread({.name = "first"}, [] { static_cast<void>(threading::current_thread().name()); });
  watch(thread);
  thread.start();
  thread.name("second");
  thread.join();
  lab::check(thread.name() == "second", "the last name");
}

// Numbers of threads that end are given to threads that begin: a lock-free list, with a counter against ABA.
LAB_SCENARIO(thread_tokens, "no two living threads have the same token",
             {.bound = 2, .weak_bound = 1, .deal_tokens = false}) {
  Atomic<std::uint32_t> held{0};
  const auto live = [&] {
    const std::uint32_t bit = 1u << (threading::detail::thread_token() & 31u);
    lab::check((held.fetch_or(bit, std::memory_order_relaxed) & bit) == 0, "a token of its own");
    held.fetch_and(~bit, std::memory_order_relaxed);
  };
  lab::together({{"a", live}, {"b", live}});
  lab::together({{"c", live}, {"d", live}, {"e", live}});
}

// A taker that is overtaken while it holds the list's old head in its hands.
LAB_SCENARIO(thread_tokens_aba, "a token that comes back at the wrong moment is not handed out twice",
             {.bound = 4, .weak_bound = 2}) {
  using threading::detail::assign_thread_token;
  using threading::detail::PerThread;
  using threading::platform::give_back_thread_token;
  PerThread blocks[4];
  assign_thread_token(blocks[0]);
  assign_thread_token(blocks[1]);
  give_back_thread_token(blocks[0]);
  give_back_thread_token(blocks[1]);
  lab::together({{"overtaken", [&] { assign_thread_token(blocks[0]); }},
                 {"brief",
                  [&] {
                    assign_thread_token(blocks[1]);
                    give_back_thread_token(blocks[1]);
                  }},
                 {"b", [&] { assign_thread_token(blocks[2]); }},
                 {"c", [&] { assign_thread_token(blocks[3]); }}});
  const auto slot = [&](int i) { return blocks[i].token & 0xfffffu; };
  lab::check(slot(0) != slot(2) && slot(0) != slot(3) && slot(2) != slot(3), "three owners, three tokens");
}

LAB_SCENARIO(thread_with_assigned_tokens, "start, lock and join with tokens that the library assigns",
             {.bound = 3, .deal_tokens = false}) {
  int n = 0;
  threading::Lock lock;
  Thread thread([&] {
    lock.acquire();
    ++n;
    lock.release();
  });
  watch(thread);
  thread.start();
  lock.acquire();
  ++n;
  lock.release();
  thread.join();
  lab::check(n == 2, "both count");
}

}  // namespace
