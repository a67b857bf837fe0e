// SPDX-License-Identifier: MIT
//
// The lab tried on programs whose behaviour is known: what it must find, and what it must not find.
#include <schedule/lab/lab.hpp>

#include <atomic>
#include <memory>

namespace {

using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

template <class T>
using Atomic = lab::atomic<T>;

LAB_SCENARIO(lab_lost_update, "load and store instead of an increment", {.expect = "assertion"}) {
  Atomic<int> n{0};
  const auto add = [&] { n.store(n.load(memory_order_seq_cst) + 1, memory_order_seq_cst); };
  lab::together({{"a", add}, {"b", add}});
  lab::check(n.load(memory_order_seq_cst) == 2, "both increments count");
}

LAB_SCENARIO(lab_increment, "fetch_add loses nothing", {.bound = 8}) {
  Atomic<int> n{0};
  const auto add = [&] { n.fetch_add(1, memory_order_relaxed); };
  lab::together({{"a", add}, {"b", add}, {"c", add}});
  lab::check(n.load(memory_order_relaxed) == 3, "all increments count");
}

LAB_SCENARIO(lab_store_buffer_sc, "store buffering cannot happen under sequential consistency",
             {.bound = 8, .weak = false}) {
  Atomic<int> x{0}, y{0};
  int seen_by_a = -1, seen_by_b = -1;
  lab::together({{"a",
                  [&] {
                    x.store(1, memory_order_release);
                    seen_by_a = y.load(memory_order_acquire);
                  }},
                 {"b", [&] {
                    y.store(1, memory_order_release);
                    seen_by_b = x.load(memory_order_acquire);
                  }}});
  lab::check(seen_by_a == 1 || seen_by_b == 1, "one of them sees the other");
}

LAB_SCENARIO(lab_store_buffer_weak, "and happens with release and acquire in weak mode",
             {.bound = 8, .sc = false, .expect = "assertion"}) {
  Atomic<int> x{0}, y{0};
  int seen_by_a = -1, seen_by_b = -1;
  lab::together({{"a",
                  [&] {
                    x.store(1, memory_order_release);
                    seen_by_a = y.load(memory_order_acquire);
                  }},
                 {"b", [&] {
                    y.store(1, memory_order_release);
                    seen_by_b = x.load(memory_order_acquire);
                  }}});
  lab::check(seen_by_a == 1 || seen_by_b == 1, "one of them sees the other");
}

LAB_SCENARIO(lab_store_buffer_fences, "nor with a light fence on one side and a heavy one on the other",
             {.bound = 8, .stale = 2, .fences = true}) {
  Atomic<int> x{0}, y{0};
  int seen_by_a = -1, seen_by_b = -1;
  lab::together({{"a",
                  [&] {
                    x.store(1, memory_order_relaxed);
                    lab::light_fence();
                    seen_by_a = y.load(memory_order_relaxed);
                  }},
                 {"b", [&] {
                    y.store(1, memory_order_relaxed);
                    lab::heavy_fence();
                    seen_by_b = x.load(memory_order_relaxed);
                  }}});
  lab::check(seen_by_a == 1 || seen_by_b == 1, "one of them sees the other");
}

LAB_SCENARIO(lab_fence_no_order, "a heavy fence makes plain data no less of a race",
             {.bound = 8, .fences = true, .expect = "data race"}) {
  int data = 0;
  Atomic<int> ready{0};
  lab::together({{"a",
                  [&] {
                    data = 1;
                    lab::heavy_fence();
                    ready.store(1, memory_order_relaxed);
                  }},
                 {"b", [&] {
                    if (ready.load(memory_order_relaxed) == 1) lab::check(data == 1, "written before");
                  }}});
}

LAB_SCENARIO(lab_store_buffer_seq_cst, "but not between seq_cst operations", {.bound = 8, .stale = 2}) {
  Atomic<int> x{0}, y{0};
  int seen_by_a = -1, seen_by_b = -1;
  lab::together({{"a",
                  [&] {
                    x.store(1, memory_order_seq_cst);
                    seen_by_a = y.load(memory_order_seq_cst);
                  }},
                 {"b", [&] {
                    y.store(1, memory_order_seq_cst);
                    seen_by_b = x.load(memory_order_seq_cst);
                  }}});
  lab::check(seen_by_a == 1 || seen_by_b == 1, "one of them sees the other");
}

LAB_SCENARIO(lab_message_passing, "release and acquire pass the data on", {.bound = 8, .stale = 2}) {
  Atomic<int> flag{0};
  int data = 0;
  lab::together({{"writer",
                  [&] {
                    data = 1;
                    flag.store(1, memory_order_release);
                  }},
                 {"reader", [&] {
                    if (flag.load(memory_order_acquire) == 1) lab::check(data == 1, "data is there");
                  }}});
}

LAB_SCENARIO(lab_message_passing_relaxed, "relaxed does not", {.bound = 8, .expect = "data race"}) {
  Atomic<int> flag{0};
  int data = 0;
  lab::together({{"writer",
                  [&] {
                    data = 1;
                    flag.store(1, memory_order_relaxed);
                  }},
                 {"reader", [&] {
                    if (flag.load(memory_order_acquire) == 1) lab::check(data == 1, "data is there");
                  }}});
}

LAB_SCENARIO(lab_message_passing_stale, "a relaxed flag may show stale atomic data",
             {.bound = 8, .sc = false, .expect = "assertion"}) {
  Atomic<int> flag{0}, data{0};
  lab::together({{"writer",
                  [&] {
                    data.store(1, memory_order_relaxed);
                    flag.store(1, memory_order_relaxed);
                  }},
                 {"reader", [&] {
                    if (flag.load(memory_order_acquire) == 1) lab::check(data.load(memory_order_relaxed) == 1, "data");
                  }}});
}

LAB_SCENARIO(lab_release_sequence, "a read-modify-write carries a release on", {.bound = 8, .stale = 2}) {
  Atomic<int> flag{0};
  int data = 0;
  lab::together({{"writer",
                  [&] {
                    data = 1;
                    flag.store(1, memory_order_release);
                  }},
                 {"middle", [&] { flag.fetch_add(1, memory_order_relaxed); }},
                 {"reader", [&] {
                    if (flag.load(memory_order_acquire) == 2) lab::check(data == 1, "data is there");
                  }}});
}

LAB_SCENARIO(lab_coherence, "reads of one location never go back", {.bound = 8, .stale = 3}) {
  Atomic<int> x{0};
  lab::together({{"writer",
                  [&] {
                    x.store(1, memory_order_relaxed);
                    x.store(2, memory_order_relaxed);
                  }},
                 {"reader", [&] {
                    const int first = x.load(memory_order_relaxed);
                    lab::check(x.load(memory_order_relaxed) >= first, "coherence");
                  }}});
}

LAB_SCENARIO(lab_independent_reads, "two readers may disagree about independent writes unless they are seq_cst",
             {.bound = 8, .stale = 2, .sc = false, .expect = "assertion"}) {
  Atomic<int> x{0}, y{0};
  int a1 = 0, a2 = 0, b1 = 0, b2 = 0;
  lab::together({{"x", [&] { x.store(1, memory_order_release); }},
                 {"y", [&] { y.store(1, memory_order_release); }},
                 {"a",
                  [&] {
                    a1 = x.load(memory_order_acquire);
                    a2 = y.load(memory_order_acquire);
                  }},
                 {"b", [&] {
                    b1 = y.load(memory_order_acquire);
                    b2 = x.load(memory_order_acquire);
                  }}});
  lab::check(!(a1 == 1 && a2 == 0 && b1 == 1 && b2 == 0), "one order of the writes");
}

LAB_SCENARIO(lab_independent_reads_seq_cst, "and may not when they are", {.bound = 4, .stale = 2}) {
  Atomic<int> x{0}, y{0};
  int a1 = 0, a2 = 0, b1 = 0, b2 = 0;
  lab::together({{"x", [&] { x.store(1, memory_order_seq_cst); }},
                 {"y", [&] { y.store(1, memory_order_seq_cst); }},
                 {"a",
                  [&] {
                    a1 = x.load(memory_order_seq_cst);
                    a2 = y.load(memory_order_seq_cst);
                  }},
                 {"b", [&] {
                    b1 = y.load(memory_order_seq_cst);
                    b2 = x.load(memory_order_seq_cst);
                  }}});
  lab::check(!(a1 == 1 && a2 == 0 && b1 == 1 && b2 == 0), "one order of the writes");
}

// A mutex on one futex word: 0 free, 1 held, 2 held and somebody may sleep.
struct FutexMutex {
  Atomic<std::uint32_t> word{0};
  bool wake_always = true;

  void lock() {
    std::uint32_t seen = 0;
    if (word.compare_exchange_strong(seen, 1, memory_order_acquire, memory_order_relaxed)) return;
    while (word.exchange(2, memory_order_acquire) != 0) (void)lab::futex_wait(word, 2, INT64_MAX);
  }
  void unlock() {
    if (word.exchange(0, memory_order_release) == 2 && wake_always) lab::futex_wake(&word, 1);
  }
};

LAB_SCENARIO(lab_futex_mutex, "a mutex on a futex", {.bound = 3, .faults = {.interrupts = 1, .spurious = 1}}) {
  FutexMutex mutex;
  int n = 0;
  const auto count = [&] {
    mutex.lock();
    ++n;
    mutex.unlock();
  };
  lab::together({{"a", count}, {"b", count}, {"c", count}});
  lab::check(n == 3, "all count");
}

LAB_SCENARIO(lab_mutex_without_wake, "the same mutex without its wake", {.expect = "deadlock"}) {
  FutexMutex mutex;
  mutex.wake_always = false;
  const auto count = [&] {
    mutex.lock();
    mutex.unlock();
  };
  lab::together({{"a", count}, {"b", count}});
}

LAB_SCENARIO(lab_spin_lock, "a spin lock makes progress", {.bound = 3}) {
  Atomic<bool> held{false};
  int n = 0;
  const auto count = [&] {
    while (held.exchange(true, memory_order_acquire)) lab::cpu_relax();
    ++n;
    held.store(false, memory_order_release);
  };
  lab::together({{"a", count}, {"b", count}, {"c", count}});
  lab::check(n == 3, "all count");
}

LAB_SCENARIO(lab_spin_for_ever, "a spin that nobody ends", {.expect = "livelock"}) {
  Atomic<bool> flag{false};
  lab::together({{"a", [&] {
                    while (!flag.load(memory_order_acquire)) lab::yield();
                  }}});
}

LAB_SCENARIO(lab_use_after_destroy, "an access that another thread's delete may overtake", {.expect = "freed memory"}) {
  auto* word = lab::make<Atomic<int>>("word", 0);
  lab::together({{"a", [&] { word->fetch_add(1, memory_order_seq_cst); }},
                 {"b",
                  [&] {
                    if (word->load(memory_order_seq_cst) == 1)
                      lab::destroy(word);
                    else
                      word->fetch_add(2, memory_order_seq_cst);
                  }},
                 {"c", [&] { (void)word->load(memory_order_relaxed); }}});
}

LAB_SCENARIO(lab_timeout_race, "a deadline and a wake at the same time", {.bound = 3, .faults = {.timeouts = 1}}) {
  Atomic<std::uint32_t> word{0};
  lab::together({{"waiter",
                  [&] {
                    const auto deadline = lab::monotonic_now() + 1000;
                    while (word.load(memory_order_acquire) == 0) {
                      if (lab::futex_wait(word, 0, deadline) == lab::FutexOutcome::timed_out) {
                        lab::check(lab::monotonic_now() >= deadline, "not early");
                        return;
                      }
                    }
                  }},
                 {"waker", [&] {
                    word.store(1, memory_order_release);
                    lab::futex_wake(&word, 1);
                  }}});
}

// Code may depend on addresses, the lot does. What is found must be found again when it is written down.
LAB_SCENARIO(lab_writing_down_moves_nothing, "blocks lie where they lay when nobody wrote down what happens",
             {.expect = "assertion"}) {
  Atomic<std::uint64_t> word{0};
  const auto block = [] { return std::make_unique<std::uint64_t>(); };
  const auto first = block(), second = block();
  word.store(0x123456789abcdef, memory_order_seq_cst);
  const auto third = block();
  const auto distance = [](const auto& from, const auto& to) {
    return reinterpret_cast<char*>(to.get()) - reinterpret_cast<char*>(from.get());
  };
  lab::check(distance(first, second) != distance(second, third), "there is something between them");
}

LAB_SCENARIO(lab_plain_race, "two plain increments", {.bound = 2, .expect = "data race"}) {
  int n = 0;
  lab::together({{"a", [&] { ++n; }}, {"b", [&] { ++n; }}});
}

LAB_SCENARIO(lab_exceptions, "exceptions in flight belong to one thread each", {.bound = 3}) {
  Atomic<int> turn{0};
  const auto body = [&](int mine) {
    try {
      turn.fetch_add(1, memory_order_seq_cst);
      throw mine;
    } catch (int caught) {
      turn.fetch_add(1, memory_order_seq_cst);
      lab::check(caught == mine, "own exception");
      try {
        throw;
      } catch (int again) {
        turn.fetch_add(1, memory_order_seq_cst);
        lab::check(again == mine, "own exception again");
      }
    }
  };
  lab::together({{"a", [&] { body(1); }}, {"b", [&] { body(2); }}});
}

// Programs as they are: std::atomic, found through the compiler's instrumentation.
LAB_SCENARIO(lab_std_atomic_lost_update, "load and store of a std::atomic",
             {.std_atomics = true, .expect = "assertion"}) {
  std::atomic<int> n{0};
  const auto add = [&] { n = n + 1; };
  lab::together({{"a", add}, {"b", add}});
  lab::check(n == 2, "both increments count");
}

LAB_SCENARIO(lab_std_atomic_store_buffer, "store buffering between std::atomics that are not seq_cst",
             {.bound = 8, .std_atomics = true, .sc = false, .expect = "assertion"}) {
  std::atomic<int> x{0}, y{0};
  int seen_by_a = -1, seen_by_b = -1;
  lab::together({{"a",
                  [&] {
                    x.store(1, memory_order_release);
                    seen_by_a = y.load(memory_order_acquire);
                  }},
                 {"b", [&] {
                    y.store(1, memory_order_release);
                    seen_by_b = x.load(memory_order_acquire);
                  }}});
  lab::check(seen_by_a == 1 || seen_by_b == 1, "one of them sees the other");
}

LAB_SCENARIO(lab_std_atomic_seq_cst, "and between seq_cst ones it does not happen", {.bound = 8, .std_atomics = true}) {
  std::atomic<int> x{0}, y{0};
  int seen_by_a = -1, seen_by_b = -1;
  lab::together({{"a",
                  [&] {
                    x = 1;
                    seen_by_a = y;
                  }},
                 {"b", [&] {
                    y = 1;
                    seen_by_b = x;
                  }}});
  lab::check(seen_by_a == 1 || seen_by_b == 1, "one of them sees the other");
}

LAB_SCENARIO(lab_shared_ptr, "the last of two owners destroys, once, after all uses",
             {.bound = 8, .std_atomics = true}) {
  struct Counted {
    int* destroyed;
    int value = 0;
    ~Counted() { ++*destroyed; }
  };
  int destroyed = 0;
  auto first = std::make_shared<Counted>(Counted{&destroyed});
  destroyed = 0;
  auto second = first;
  lab::together({{"a", [&, mine = std::move(first)]() mutable { mine.reset(); }},
                 {"b", [&, mine = std::move(second)]() mutable { mine.reset(); }}});
  lab::check(destroyed <= 1, "once");
}

LAB_SCENARIO(lab_watch_after_use, "a word that was used before it was watched is watched all the same",
             {.expect = "illegal state"}) {
  Atomic<std::uint32_t> word{0};
  static_cast<void>(word.load(memory_order_relaxed));
  lab::watch("word used before", &word, 3, {0});
  word.store(2, memory_order_relaxed);
}

}  // namespace
