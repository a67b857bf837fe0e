// SPDX-License-Identifier: MIT
//
// Locks that their threads free without a look, since they know that they hold them: beside those who want to queue,
// and whatever ends that knowledge.
#include "support.hpp"

#include <new>

#include <threading/lock.hpp>
#include <threading/rlock.hpp>

#include "parking/release_mode.hpp"
#include "platform/thread_exit.hpp"

namespace {

using namespace scenarios;
using threading::Lock;
using threading::RLock;
using threading::detail::consider_stores;
using threading::detail::distrust;
using threading::detail::give_back;
using threading::detail::is_blind;
using threading::detail::LockWord;
using threading::detail::release_mode;
using threading::detail::ReleaseMode;
using threading::detail::try_take;
using threading::detail::unlock_word;
using threading::parking::store_blindly;

ReleaseMode mode(const void* key) { return release_mode(key).load(std::memory_order_relaxed); }

// As if threads had contended for the lock for a while. Requires: nobody is queued in its bucket.
void make_blind(const void* key) {
  release_mode(key).store(ReleaseMode::store, std::memory_order_relaxed);
  store_blindly(key, true);
}

template <class AnyLock>
AnyLock* make_blind_lock(const char* name) {
  auto* lock = lab::make<AnyLock>(name);
  make_blind(lock);
  return lock;
}

// As if the calling thread had freed the lock in that mode before.
void get_to_know(const void* key) {
  static_cast<void>(threading::detail::thread_token());
  threading::detail::backend::per_thread().trusted = mode(key);
}

template <class AnyLock>
void count_under(AnyLock& lock, int& n) {
  get_to_know(&lock);
  lock.acquire();
  ++n;
  lock.release();
}

void wait_for(const Atomic<int>& turn, int number) {
  while (turn.load(std::memory_order_acquire) != number) threading::detail::backend::yield();
}

LAB_SCENARIO(blind_two_threads, "one thread stores blindly while another queues up", {.bound = 3, .fences = true}) {
  auto* lock = make_blind_lock<Lock>("lock");
  int n = 0;
  const auto count = [&] { count_under(*lock, n); };
  lab::together({{"a", count}, {"b", count}});
  lab::check(n == 2 && !lock->locked(), "both count");
  lab::destroy(lock);
}

LAB_SCENARIO(blind_rlock, "the same with an owner who comes twice", {.bound = 2, .fences = true}) {
  auto* lock = make_blind_lock<RLock>("rlock");
  int n = 0;
  const auto count = [&] {
    get_to_know(lock);
    lock->acquire();
    count_under(*lock, n);
    lock->release();
  };
  lab::together({{"a", count}, {"b", count}});
  lab::check(n == 2 && !lock->locked(), "both count");
  lab::destroy(lock);
}

LAB_SCENARIO(blind_first_time, "who sees the mode for the first time looks, and then knows",
             {.bound = 2, .weak_bound = 1, .fences = true, .pct_runs = 2000}) {
  auto* lock = make_blind_lock<Lock>("lock");
  int n = 0;
  const auto count = [&] {
    threading::detail::backend::per_thread().exchanges_left = 10;
    for (int i = 0; i != 2; ++i) {
      lock->acquire();
      ++n;
      lock->release();
    }
  };
  lab::together({{"a", count}, {"b", count}});
  lab::check(n == 4 && !lock->locked(), "both count");
  lab::destroy(lock);
}

LAB_SCENARIO(blind_once, "two releases, but it was taken once", {.bound = 1, .fences = true}) {
  auto* lock = make_blind_lock<Lock>("lock");
  int n = 0;
  count_under(*lock, n);
  lab::check(done([&] { lock->release(); }) == 0, "a free lock is not released");
  lab::check(!lock->locked(), "nor does that change it");
}

LAB_SCENARIO(blind_freed_by_hand, "what a thread has freed in the slow way it does not hold any more",
             {.bound = 1, .fences = true}) {
  auto* word = lab::make<LockWord>("word", 0u);
  make_blind(word);
  get_to_know(word);
  const auto self = threading::detail::thread_token();
  lab::check(try_take(*word, self) && unlock_word(*word), "taken and freed");
  lab::check(!give_back(*word, self) && !unlock_word(*word), "it is free");
}

// The main thread has taken the lock and knows it; another frees it, and says so.
LAB_SCENARIO(blind_by_others, "what another thread has freed is not held any more", {.bound = 3, .fences = true}) {
  auto* lock = make_blind_lock<Lock>("lock");
  get_to_know(lock);
  lock->acquire();
  Atomic<int> turn{0};
  const lab::Thread other = lab::spawn("frees", [&] {
    lock->release();
    turn.store(1, std::memory_order_release);
  });
  wait_for(turn, 1);
  lab::check(done([&] { lock->release(); }) == 0, "it is free");
  other.join();
  lab::check(!lock->locked(), "and stays so");
}

// The same where the word has a mark, though nobody waits any more.
LAB_SCENARIO(blind_by_others_with_a_mark, "a marked lock that another thread has freed is not held any more",
             {.bound = 1, .fences = true}) {
  auto* word = lab::make<LockWord>("word", 0u);
  make_blind(word);
  get_to_know(word);
  const auto self = threading::detail::thread_token();
  lab::check(try_take(*word, self), "it was free");
  word->fetch_or(threading::detail::kParked, std::memory_order_relaxed);
  const lab::Thread other = lab::spawn("frees", [&] { lab::check(unlock_word(*word), "it was held"); });
  other.join();
  lab::check(!give_back(*word, self) && !unlock_word(*word), "it is free");
}

// Another thread may free a lock that a third has taken meanwhile: that one knows it no longer, either.
LAB_SCENARIO(blind_by_turns, "a lock that is freed by whoever has not taken it",
             {.bound = 2, .weak_bound = 1, .fences = true}) {
  auto* lock = make_blind_lock<Lock>("lock");
  get_to_know(lock);
  lock->acquire();
  Atomic<int> turn{0};
  lab::together({{"frees and takes",
                  [&] {
                    get_to_know(lock);
                    lock->release();
                    lock->acquire();
                    turn.store(1, std::memory_order_release);
                    wait_for(turn, 2);
                    lab::check(done([&] { lock->release(); }) == 0, "the other has freed it");
                  }},
                 {"frees", [&] {
                    wait_for(turn, 1);
                    lock->release();
                    turn.store(2, std::memory_order_release);
                  }}});
  lab::check(done([&] { lock->release(); }) == 0, "it was freed twice");
  lab::check(!lock->locked(), "and is free");
}

// One frees a lock that another has taken; before it says so a third has it, and the first knows it still.
LAB_SCENARIO(blind_by_takers, "freed by two who have not taken it, one after the other",
             {.bound = 2, .weak_bound = 1, .fences = true}) {
  auto* lock = make_blind_lock<Lock>("lock");
  get_to_know(lock);
  lock->acquire();
  Atomic<int> turn{0};
  const auto other = lab::spawn("frees", [&] { lock->release(); });
  const auto third = lab::spawn("takes", [&] {
    get_to_know(lock);
    lock->acquire();
    turn.store(1, std::memory_order_release);
    wait_for(turn, 2);
    lab::check(done([&] { lock->release(); }) == 0, "it was freed");
  });
  wait_for(turn, 1);
  lock->release();
  turn.store(2, std::memory_order_release);
  third.join();
  other.join();
  lab::check(!lock->locked(), "free");
}

// Takes the lock twice, the second time for another thread to free it.
void take_for(Lock& lock, Atomic<int>& turn) {
  threading::detail::backend::per_thread().exchanges_left = 10;
  lock.acquire();
  lock.release();
  lock.acquire();
  turn.store(1, std::memory_order_release);
  wait_for(turn, 2);
  lab::check(done([&] { lock.release(); }) == 0, "the other has freed it");
}
void free_for(Lock& lock, Atomic<int>& turn) {
  threading::detail::backend::per_thread().exchanges_left = 10;
  wait_for(turn, 1);
  lock.release();
  turn.store(2, std::memory_order_release);
}

LAB_SCENARIO(blind_without_a_token, "two threads that have no name in the word",
             {.bound = 2, .fences = true, .deal_tokens = false}) {
  auto* lock = make_blind_lock<Lock>("lock");
  Atomic<int> turn{0};
  lab::together({{"takes", [&] { take_for(*lock, turn); }}, {"frees", [&] { free_for(*lock, turn); }}});
  lab::check(!lock->locked(), "free");
}

LAB_SCENARIO(blind_without_its_token, "one of them had a name, and knew the mode by it",
             {.bound = 2, .fences = true, .deal_tokens = false}) {
  auto* lock = make_blind_lock<Lock>("lock");
  Atomic<int> turn{0};
  lab::together({{"takes",
                  [&] {
                    get_to_know(lock);
                    threading::platform::give_back_thread_token(threading::detail::backend::per_thread());
                    take_for(*lock, turn);
                  }},
                 {"frees", [&] { free_for(*lock, turn); }}});
  lab::check(!lock->locked(), "free");
}

// Where a lock has ended, held, another begins, made by another thread.
template <class AnyLock>
void begin_another_life() {
  void* const memory = ::operator new(sizeof(AnyLock));
  auto* lock = ::new (memory) AnyLock;
  make_blind(lock);
  get_to_know(lock);
  lock->acquire();
  lock->~AnyLock();
  Atomic<int> turn{0};
  const lab::Thread other = lab::spawn("makes", [&] {
    lock = ::new (memory) AnyLock;
    turn.store(1, std::memory_order_release);
  });
  wait_for(turn, 1);
  lab::check(done([&] { lock->release(); }) == 0, "the new one is free");
  other.join();
  lab::check(!lock->locked(), "and stays so");
  lock->~AnyLock();
  ::operator delete(memory);
}

LAB_SCENARIO(blind_new_life, "a thread knows the lock that was there", {.bound = 2, .fences = true}) {
  begin_another_life<Lock>();
}

LAB_SCENARIO(blind_new_life_of_an_rlock, "a thread knows the lock that was there", {.bound = 2, .fences = true}) {
  begin_another_life<RLock>();
}

LAB_SCENARIO(blind_not_beside_a_queue, "no mode becomes blind while somebody is queued", {.bound = 1, .fences = true}) {
  auto* lock = make_blind_lock<Lock>("lock");
  int n = 0;
  lock->acquire();
  const lab::Thread waiter = lab::spawn("waits", [&] { count_under(*lock, n); });
  until_queued(lock);
  store_blindly(lock, true);
  lab::check(mode(lock) == ReleaseMode::exchange, "exchanges");
  lock->release();
  waiter.join();
  lab::check(n == 1, "woken");
}

// The mode was blind, is not for a while, and is again.
LAB_SCENARIO(blind_again, "a thread takes one blind mode for another", {.bound = 1, .fences = true}) {
  auto* lock = make_blind_lock<Lock>("lock");
  get_to_know(lock);
  lock->acquire();
  const lab::Thread other = lab::spawn("frees", [&] { lock->release(); });
  other.join();
  consider_stores(lock);
  store_blindly(lock, true);
  lab::check(is_blind(mode(lock)), "blind again");
  lab::check(done([&] { lock->release(); }) == 0, "it is free");
}

LAB_SCENARIO(blind_then_destroy, "the next owner destroys the lock", {.bound = 3, .fences = true}) {
  auto* lock = make_blind_lock<Lock>("lock");
  Atomic<bool> held{false};
  lab::together({{"releases",
                  [&] {
                    get_to_know(lock);
                    lock->acquire();
                    held.store(true, std::memory_order_relaxed);
                    lock->release();
                  }},
                 {"destroys", [&] {
                    while (!held.load(std::memory_order_acquire)) threading::detail::backend::yield();
                    lock->acquire();
                    lock->release();
                    threading::parking::require_exchanges(lock);
                    lab::destroy(lock);
                  }}});
}

// Releases are made to exchange although nobody has fenced: who queues does so all the same.
LAB_SCENARIO(modes_distrusted, "the end of a blind mode while one stores and another queues up",
             {.bound = 3, .weak_bound = 2, .fences = true, .pct_runs = 2000}) {
  auto* lock = make_blind_lock<Lock>("lock");
  int n = 0;
  const auto count = [&] { count_under(*lock, n); };
  lab::together({{"a", count}, {"b", count}, {"distrusts", [&] { distrust(lock); }}});
  lab::check(n == 2 && !lock->locked(), "both count");
  lab::destroy(lock);
}

LAB_SCENARIO(modes_become_blind, "a mode becomes blind, and is no longer, while one stores and another queues up",
             {.bound = 2, .weak_bound = 1, .fences = true, .pct_runs = 2000}) {
  auto* lock = lab::make<Lock>("lock");
  release_mode(lock).store(ReleaseMode::store, std::memory_order_relaxed);
  int n = 0;
  const auto count = [&] {
    lock->acquire();
    ++n;
    lock->release();
  };
  lab::together({{"a", count}, {"b", count}, {"contended", [&] {
                                                store_blindly(lock, true);
                                                store_blindly(lock, false);
                                              }}});
  lab::check(n == 2 && !lock->locked(), "both count");
  lab::destroy(lock);
}

}  // namespace
