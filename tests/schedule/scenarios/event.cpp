// SPDX-License-Identifier: MIT
#include "doorbell.hpp"

#include "parking/inspect.hpp"

namespace {

using namespace scenarios;
using threading::Event;
using Model = lab::models::Event;

Event* make_event() {
  auto* event = lab::make<Event>("event");
  lab::watch("Event", event, ~(threading::detail::kEventOnce | threading::detail::kEventOften), {0, 1, 2});
  return event;
}

LAB_SCENARIO(event_set_wakes_all, "set() lets every waiter go, with the data", {.bound = 2}) {
  auto* event = make_event();
  int data = 0;
  const auto wait = [&] {
    lab::check(event->wait(), "no bound, so it was set");
    lab::check(data == 1, "data");
  };
  lab::together({{"a", wait}, {"b", wait}, {"setter", [&] {
                                              data = 1;
                                              event->set();
                                            }}});
  lab::destroy(event);
}

// bpo-13502: wait() returns true although clear() follows at once.
LAB_SCENARIO(event_set_and_clear, "a clear() that follows at once does not send waiters back",
             {.bound = 4, .weak_bound = 3}) {
  auto* event = make_event();
  lab::together({{"waiter", [&] { lab::check(event->wait(seconds(1)), "set while it waited"); }},
                 {"setter", [&] {
                    while (threading::parking::collect_waiters(nullptr, 0) == 0) lab::yield();
                    event->set();
                    event->clear();
                  }}});
}

LAB_SCENARIO(event_history, "set, clear and a bounded wait are explained by one order",
             {.bound = 4, .weak_bound = 3, .faults = {.timeouts = 1}}) {
  auto* event = make_event();
  lab::together({{"waiter", [&] { lab::run(Model::kWait, 1, [&] { return event->wait(seconds(1)); }); }},
                 {"setter", [&] {
                    lab::run(Model::kSet, 0, [&] { event->set(); });
                    lab::run(Model::kClear, 0, [&] { event->clear(); });
                  }}});
  lab::check_linearizable(Model{});
}

// Java CR 6822370, wasmtime #7623, brpc #3539: "store work, ring" against "clear the bell, look for work".
LAB_SCENARIO(event_doorbell, "work stored before a set() is seen after the clear() that follows it",
             {.bound = 3, .weak_bound = 2, .stale = 2}) {
  ring_for_two(*make_event());
}

LAB_SCENARIO(event_doorbell_plain, "the same with one producer and plain data behind the flag",
             {.bound = 6, .weak_bound = 4, .stale = 2}) {
  auto* event = make_event();
  event->set();
  ring_for_one(*event);
}

LAB_SCENARIO(event_timeout_against_set, "a deadline and a set at the same time",
             {.bound = 3, .weak_bound = 2, .faults = {.timeouts = 1, .interrupts = 1}}) {
  auto* event = make_event();
  lab::together({{"waiter", [&] { lab::run(Model::kWait, 1, [&] { return event->wait(seconds(1)); }); }},
                 {"setter", [&] { lab::run(Model::kSet, 0, [&] { event->set(); }); }},
                 {"looker", [&] { lab::run(Model::kIsSet, 0, [&] { return event->is_set(); }); }}});
  lab::check_linearizable(Model{});
}

LAB_SCENARIO(event_timeout_beside_a_waiter, "one gives up, the other is let go",
             {.bound = 2, .weak_bound = 1, .faults = {.timeouts = 1}}) {
  auto* event = make_event();
  lab::together({{"timed", [&] { event->wait(seconds(1)); }},
                 {"patient", [&] { lab::check(event->wait(), "set"); }},
                 {"setter", [&] { event->set(); }}});
}

LAB_SCENARIO(event_stop_against_set, "a stop request and a set at the same time", {.bound = 3, .weak_bound = 2}) {
  auto* event = make_event();
  stop_source source;
  bool stopped_wait = true;
  lab::together({{"waiter", [&] { stopped_wait = event->wait(threading::forever, source.get_token()); }},
                 {"setter", [&] { event->set(); }},
                 {"stopper", [&] { source.request_stop(); }}});
  lab::check(event->is_set(), "set at the end");
}

LAB_SCENARIO(event_rounds, "set, wait and clear, round after round", {.bound = 2, .weak_bound = 1, .pct_runs = 2000}) {
  auto* ping = make_event();
  auto* pong = lab::make<Event>("pong");
  int ball = 0;
  lab::together({{"ping",
                  [&] {
                    for (int i = 0; i < 2; ++i) {
                      ++ball;
                      ping->set();
                      pong->wait();
                      pong->clear();
                    }
                  }},
                 {"pong", [&] {
                    for (int i = 0; i < 2; ++i) {
                      ping->wait();
                      ping->clear();
                      ++ball;
                      pong->set();
                    }
                  }}});
  lab::check(ball == 4, "every round");
}

LAB_SCENARIO(event_destroyed_after_wait, "after set() only the address is used", {.bound = 6}) {
  auto* event = make_event();
  lab::together({{"setter", [&] { event->set(); }}, {"waiter", [&] {
                                                       event->wait();
                                                       lab::destroy(event);
                                                     }}});
}

LAB_SCENARIO(event_clear_beside_a_waiter, "clear() of a flag that is clear leaves who waits where it is",
             {.bound = 4, .weak_bound = 3}) {
  auto* event = lab::make<Event>("event");
  lab::together({{"waiter", [&] { event->wait(); }}, {"other", [&] {
                                                        event->clear();
                                                        event->set();
                                                      }}});
  lab::destroy(event);
}

}  // namespace
