// SPDX-License-Identifier: MIT
//
// Timers: one pool for all, leader and follower. POCO 46a55303a is the warning: a timer cancelled from its own
// callback, or destroyed while it fires.
#include <threading/event.hpp>
#include <threading/timer.hpp>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "support.hpp"

namespace {

using namespace scenarios;
using threading::Timer;

bool is_listed(const Timer& timer) {
  const std::vector<threading::Thread> all = threading::enumerate();
  return std::find(all.begin(), all.end(), timer) != all.end();
}

LAB_SCENARIO(timer_fires, "not early, once, and joinable", {.bound = 2}) {
  int runs = 0;
  const std::int64_t start = lab::monotonic_now();
  Timer timer(seconds(1), [&] {
    ++runs;
    lab::check(lab::monotonic_now() >= start + kSecond, "not early");
  });
  timer.start();
  timer.join();
  lab::check(runs == 1 && !timer.is_alive() && !is_listed(timer), "it has run");
}

LAB_SCENARIO(timer_cancel_against_fire, "cancel() and the deadline at the same time",
             {.bound = 2, .faults = {.timeouts = 1}}) {
  int runs = 0;
  Timer timer(seconds(1), [&] { ++runs; });
  timer.start();
  timer.cancel();
  timer.join();
  lab::check(runs <= 1 && !timer.is_alive() && !is_listed(timer), "over, whoever was first");
}

// One waits; the other may come when all is over, and learns it from the word alone.
LAB_SCENARIO(timer_two_joiners, "whoever joins sees what the function did",
             {.bound = 1, .weak_bound = 0, .faults = {.timeouts = 1}, .pct_runs = 2000}) {
  int data = 0;
  Timer timer(seconds(1), [&] { data = 1; });
  timer.start();
  const auto join = [&] {
    timer.join();
    lab::check(data == 1, "it has run");
  };
  lab::together({{"a", join}, {"b", join}});
}

LAB_SCENARIO(timer_cancel_before_start, "a cancelled timer runs nothing", {.bound = 2}) {
  int runs = 0;
  Timer timer(seconds(1), [&] { ++runs; });
  timer.cancel();
  timer.start();
  timer.join();
  lab::check(runs == 0 && !timer.is_alive() && !is_listed(timer), "over at once");
}

LAB_SCENARIO(timer_cancel_by_itself, "cancel() from the timer's own function", {.bound = 2}) {
  int runs = 0;
  std::optional<Timer> timer;
  timer.emplace(seconds(1), [&] {
    timer->cancel();
    ++runs;
  });
  timer->start();
  timer->join();
  lab::check(runs == 1, "it has run");
}

LAB_SCENARIO(timer_dropped_while_firing, "the last handle goes while the function runs",
             {.bound = 2, .faults = {.timeouts = 1}}) {
  auto* ran = lab::make<threading::Event>("ran");
  {
    Timer timer(seconds(1), [=] { ran->set(); });
    timer.start();
  }
  ran->wait();
}

LAB_SCENARIO(timer_dropped_by_its_function, "the function drops the last handle to its own timer",
             {.bound = 3, .pct_runs = 1000}) {
  auto* ran = lab::make<threading::Event>("ran");
  auto* timer = new std::optional<Timer>;
  timer->emplace(seconds(1), [=] {
    timer->reset();
    delete timer;
    ran->set();
  });
  (*timer)->start();
  ran->wait();
}

LAB_SCENARIO(timer_earlier_one_later, "a timer that is due before all others calls the watcher",
             {.bound = 1, .pct_runs = 2000}) {
  std::int64_t late = 0;
  std::int64_t early = 0;
  Timer first(seconds(9), [&] { late = lab::monotonic_now(); });
  Timer second(seconds(1), [&] { early = lab::monotonic_now(); });
  first.start();
  second.start();
  second.join();
  lab::check(early < 5 * kSecond, "it did not wait for the other");
  first.join();
  lab::check(early < late, "in order");
}

LAB_SCENARIO(timer_two_at_once, "one thread fires, another watches", {.bound = 1, .pct_runs = 2000}) {
  Atomic<std::uint32_t> runs{0};
  const auto run = [&] { runs.fetch_add(1, std::memory_order_relaxed); };
  Timer a(seconds(1), run);
  Timer b(seconds(1), run);
  a.start();
  b.start();
  a.join();
  b.join();
  lab::check(runs.load(std::memory_order_relaxed) == 2, "both");
}

LAB_SCENARIO(timer_starts_timer, "a timer's function starts the next timer", {.bound = 1, .pct_runs = 2000}) {
  int runs = 0;
  Timer second(seconds(1), [&] { ++runs; });
  Timer first(seconds(1), [&] {
    ++runs;
    second.start();
  });
  first.start();
  first.join();
  second.join();
  lab::check(runs == 2, "both");
}

LAB_SCENARIO(timer_slow_function, "a function that takes long keeps no other timer waiting",
             {.bound = 1, .pct_runs = 2000}) {
  threading::Event go_on;
  Timer slow(seconds(1), [&] { go_on.wait(); });
  Timer other(seconds(1), [&] { go_on.set(); });
  slow.start();
  other.start();
  slow.join();
  other.join();
}

LAB_SCENARIO(timer_start_fails, "no thread for the pool: the timer is fresh again",
             {.bound = 2, .faults = {.spawn = 1}}) {
  int runs = 0;
  std::int64_t fired = 0;
  Timer timer(seconds(1), [&] {
    ++runs;
    fired = lab::monotonic_now();
  });
  lab::sleep_until(100 * kSecond);  // a moment that cannot be mistaken for an interval
  const std::int64_t start = lab::monotonic_now();
  if (done([&] { timer.start(); }) == 0) {
    lab::check(!timer.is_alive(), "fresh again");
    timer.start();
  }
  timer.join();
  lab::check(runs == 1, "once");
  lab::check(fired >= start + kSecond && fired < start + 5 * kSecond, "after its interval");
}

LAB_SCENARIO(timer_no_follower, "no thread to appoint: the one that fires looks when it is done",
             {.bound = 1, .faults = {.spawn = 1}, .pct_runs = 2000}) {
  Atomic<std::uint32_t> runs{0};
  const auto run = [&] { runs.fetch_add(1, std::memory_order_relaxed); };
  Timer a(seconds(1), run);
  Timer b(seconds(1), run);
  const bool started = done([&] { a.start(); }) == 1;
  if (!started) a.start();
  b.start();
  a.join();
  b.join();
  lab::check(runs.load(std::memory_order_relaxed) == 2, "both");
}

LAB_SCENARIO(timer_after_lingering, "a pool thread that gives up against a timer that needs it",
             {.bound = 2, .weak_bound = 1, .faults = {.timeouts = 2}}) {
  int runs = 0;
  Timer first(0.0, [&] { ++runs; });
  first.start();
  first.join();
  Timer second(0.0, [&] { ++runs; });
  second.start();
  second.join();
  lab::check(runs == 2, "both");
}

LAB_SCENARIO(timer_joined_while_cancelled, "a joiner of a pending timer is let go by cancel()",
             {.bound = 4, .pct_runs = 2000}) {
  Timer timer(threading::forever, [] { lab::fail("it never fires"); });
  timer.start();
  lab::together({{"joiner", [&] { timer.join(); }}, {"canceller", [&] { timer.cancel(); }}});
  lab::check(!timer.is_alive(), "over");
}

// A function whose destructor drops a handle.
class Dropping {
 public:
  explicit Dropping(std::optional<Timer>& timer) : timer_(&timer) {}
  Dropping(Dropping&& other) noexcept : timer_(std::exchange(other.timer_, nullptr)) {}
  Dropping& operator=(Dropping&&) = delete;
  ~Dropping() {
    if (timer_ != nullptr) timer_->reset();
  }
  void operator()() const {}

 private:
  std::optional<Timer>* timer_;
};

LAB_SCENARIO(timer_cancelled_beside_another, "cancel() beside one whose function drops the last handle to its timer",
             {.bound = 2, .weak_bound = 1, .pct_runs = 2000}) {
  std::optional<Timer> dropped;
  dropped.emplace(seconds(9), Dropping(dropped));
  Timer other(seconds(9), [] {});
  dropped->start();
  other.start();
  const auto cancel = [&] {
    other.cancel();
    lab::check(!other.is_alive() && !is_listed(other), "over");
  };
  lab::together({{"a", [&] { dropped->cancel(); }}, {"b", cancel}});
  lab::check(!dropped && threading::enumerate().size() == 1, "both over");
}

LAB_SCENARIO(timer_cancelled_before_its_time, "the deadline of a cancelled timer comes and goes", {.bound = 1}) {
  {
    Timer cancelled(seconds(1), [] {});
    cancelled.start();
    cancelled.cancel();
  }
  int runs = 0;
  Timer other(seconds(2), [&] { ++runs; });
  other.start();
  other.join();
  Timer last(seconds(1), [] {});
  last.start();
  last.cancel();
  lab::check(runs == 1 && threading::active_count() == 1, "one has fired");
}

LAB_SCENARIO(timer_cancelled_in_turn, "of cancelled timers one at most keeps its memory, and nobody finds it",
             {.bound = 1}) {
  const auto cancel = [](std::size_t count) {
    std::vector<Timer> timers;
    for (std::size_t i = 0; i != count; ++i) timers.emplace_back(seconds(9), [] {}).start();
    for (const Timer& timer : timers) {
      timer.cancel();
      lab::check(threading::active_count() == count-- && threading::enumerate().size() == count + 1, "one less");
    }
  };
  cancel(1);
  const std::size_t one = lab::live_allocations();
  cancel(3);
  // Of the first the watcher may have settled all.
  lab::check(lab::live_allocations() <= one + 1, "not all three");
}

// The pool is there already, idle or watching for a later timer.
LAB_SCENARIO(timer_due_at_start, "a timer that is due when it is started runs at once",
             {.bound = 1, .weak_bound = 0, .pct_runs = 2000}) {
  Timer first(0.0, [] {});
  first.start();
  first.join();
  Timer later(seconds(9), [] {});
  if (lab::choose(2) != 0) later.start();
  const std::int64_t start = lab::monotonic_now();
  Timer second(0.0, [&] { lab::check(lab::monotonic_now() == start, "no time has passed"); });
  second.start();
  second.join();
  later.cancel();
}

LAB_SCENARIO(timer_two_due_at_once,
             "a thread that has run one timer runs the other that is due, before any time passes",
             {.bound = 1, .weak_bound = 0, .pct_runs = 2000}) {
  const std::int64_t due = lab::monotonic_now() + kSecond;
  const auto runs_in_time = [&] { lab::check(lab::monotonic_now() == due, "no time has passed"); };
  Timer a(seconds(1), runs_in_time);
  Timer b(seconds(1), runs_in_time);
  a.start();
  b.start();
  a.join();
  b.join();
}

LAB_SCENARIO(timer_no_follower_for_a_later_one, "no thread to appoint: the one that fires watches when it is done",
             {.bound = 1, .faults = {.spawn = 1}, .pct_runs = 2000}) {
  int runs = 0;
  Timer a(seconds(1), [&] { ++runs; });
  Timer b(seconds(5), [&] { ++runs; });
  if (done([&] { a.start(); }) == 0) a.start();
  b.start();
  a.join();
  b.join();
  lab::check(runs == 2, "both");
}

// The pool thread is idle, if not on its way there, and would get up by itself after a second.
LAB_SCENARIO(timer_earlier_than_the_sleep,
             "who is appointed in its sleep is woken for a timer that is due before it would get up",
             {.bound = 1, .weak_bound = 0, .pct_runs = 2000}) {
  Timer first(0.0, [] {});
  first.start();
  first.join();
  Timer later(seconds(9), [] {});
  if (lab::choose(2) != 0) later.start();
  const std::int64_t due = lab::monotonic_now() + kSecond / 2;
  Timer second(0.5, [&] { lab::check(lab::monotonic_now() == due, "in time"); });
  second.start();
  second.join();
  later.cancel();
}

// What fires `count` times, `after` seconds each, beside a pending one. The system makes no thread but the first two.
void fire_beside(Timer& pending, int count, double after) {
  pending.start();
  for (int i = 0; i != count; ++i) {
    Timer timer(after, [] { lab::check(lab::thread_id() <= 2, "no thread is made for it"); });
    timer.start();
    timer.join();
    sleep_until(lab::monotonic_now() + 1);  // all others have come to rest
  }
  pending.cancel();
}

LAB_SCENARIO(timer_appointment_taken_over, "a thread that is woken for nothing does not leave",
             {.bound = 1, .weak_bound = 0, .pct_runs = 2000}) {
  Timer near(0.9, [] {});
  fire_beside(near, 4, 0.1);
}

LAB_SCENARIO(timer_last_idle_one_stays, "while timers fire an idle thread is at hand",
             {.bound = 1, .weak_bound = 0, .pct_runs = 2000}) {
  Timer far(seconds(9), [] {});
  fire_beside(far, 4, 0.6);
}

LAB_SCENARIO(timer_pool_ends, "threads of the pool that have nothing to do end",
             {.bound = 1, .weak_bound = 0, .step_limit = 1500}) {
  for (int i = 0; i != 2; ++i) {
    Timer timer(0.0, [] {});
    timer.start();
    timer.join();
  }
  // Time passes only while nobody can move.
  sleep_until(lab::monotonic_now() + 3 * kSecond);
}

}  // namespace
