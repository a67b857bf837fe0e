// SPDX-License-Identifier: MIT
//
// Values that belong to a thread and to a local: who ends first destroys them, once.
#include <threading/local.hpp>
#include <threading/thread.hpp>

#include <optional>

#include "support.hpp"

namespace {

using namespace scenarios;
using threading::local;
using threading::Thread;

struct Counted {
  static inline Atomic<std::uint32_t> made{0};
  static inline Atomic<std::uint32_t> destroyed{0};
  int value = 0;
  Counted() { made.fetch_add(1, std::memory_order_relaxed); }
  ~Counted() { destroyed.fetch_add(1, std::memory_order_relaxed); }
};

void check_balance(std::uint32_t expected) {
  lab::check(Counted::made.load(std::memory_order_relaxed) == expected, "as many values as threads");
  lab::check(Counted::destroyed.load(std::memory_order_relaxed) == expected, "each destroyed once");
}

LAB_SCENARIO(local_one_value_each, "two threads do not see each other's value", {.bound = 3, .weak_bound = 2}) {
  {
    local<Counted> mine;
    const auto use = [&](int value) {
      mine->value = value;
      lab::check(mine->value == value, "its own");
    };
    Thread other([&] { use(2); });
    other.start();
    use(1);
    other.join();
    lab::check(mine->value == 1, "still its own");
  }
  check_balance(2);
}

// CPython gh-100892, gh-102126: a local that goes while threads come and go.
LAB_SCENARIO(local_end_against_thread_end, "thread and local end at the same time", {.bound = 3, .weak_bound = 2}) {
  std::optional<local<Counted>> mine(std::in_place);
  Atomic<std::uint32_t> used{0};
  Thread other([&] {
    (*mine)->value = 1;
    used.store(1, std::memory_order_release);
  });
  other.start();
  while (used.load(std::memory_order_acquire) == 0) lab::yield();
  mine.reset();
  other.join();
  check_balance(1);
}

LAB_SCENARIO(local_index_used_again, "a new local never shows an old one's value", {.bound = 5, .weak_bound = 3}) {
  Atomic<std::uint32_t> stage{0};
  std::optional<local<Counted>> first(std::in_place);
  std::optional<local<Counted>> second;
  Thread other([&] {
    (*first)->value = 1;
    stage.store(1, std::memory_order_release);
    while (stage.load(std::memory_order_acquire) != 2) lab::yield();
    lab::check((*second)->value == 0, "a value of its own");
  });
  other.start();
  while (stage.load(std::memory_order_acquire) != 1) lab::yield();
  first.reset();
  second.emplace();
  stage.store(2, std::memory_order_release);
  other.join();
  second.reset();
  check_balance(2);
}

LAB_SCENARIO(local_destructor_uses_locals, "a value's destructor makes a value of another local", {.bound = 5}) {
  local<Counted> outer;
  struct Last {
    local<Counted>* other = nullptr;
    ~Last() {
      if (other != nullptr) (*other)->value = 7;
    }
  };
  {
    local<Last> last;
    Thread thread([&] { last->other = &outer; });
    thread.start();
    thread.join();
  }
  check_balance(1);
}

// More locals than a thread's first table has room for.
LAB_SCENARIO(local_after_its_table_has_grown, "a local finds its values in a table that was made since", {.bound = 1}) {
  constexpr std::size_t kLocals = 9;
  Atomic<std::uint32_t> stage{0};
  std::optional<local<Counted>> locals[kLocals];
  for (auto& each : locals) each.emplace();
  Thread other([&] {
    for (auto& each : locals) (*each)->value = 1;
    stage.store(1, std::memory_order_release);
    while (stage.load(std::memory_order_acquire) != 2) lab::yield();
  });
  other.start();
  while (stage.load(std::memory_order_acquire) != 1) lab::yield();
  locals[0].reset();
  stage.store(2, std::memory_order_release);
  other.join();
  for (auto& each : locals) each.reset();
  check_balance(kLocals);
}

}  // namespace
