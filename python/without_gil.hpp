// SPDX-License-Identifier: MIT
//
// The only place that lets the interpreter's lock (the GIL) go and takes it back.
//
// Up to CPython 3.13 a thread that asks for the GIL while the interpreter shuts down is ended on the spot by
// pthread_exit(), which unwinds its frames. A destructor, a noexcept function or a catch-all in the way of that unwind
// ends the process instead. So everything here is plain calls: what is passed in is trivially destructible, and no
// caller has anything on its stack that wants a destructor.
#pragma once

#include <type_traits>

#include <threading/embedding.hpp>

#include "gil.hpp"
#include "interpreter.hpp"
#include "who.hpp"

namespace face {

using threading::Deadline;
using threading::Embedding;
using Outcome = Embedding::Outcome;

// Runs `call()` without the GIL. It must not touch a Python object.
template <class Call>
auto without_gil(Call call) {
  static_assert(std::is_trivially_destructible_v<Call>);
  note_thread();
  PyThreadState* const state = let_gil_go();
  const auto result = call();
  static_assert(std::is_trivially_destructible_v<decltype(result)>);
  take_gil_back(state);
  return result;
}

// A wait during which signal handlers run while the thread keeps its place in the queue.
class HandledWait {
 public:
  explicit HandledWait(Deadline deadline) : deadline_(deadline) {}

  // Runs `call(wait)` without the GIL. Afterwards raised() says whether a handler raised; if so, its exception is set.
  template <class Call>
  auto run(Call call) {
    static_assert(std::is_trivially_destructible_v<Call>);
    Embedding::Wait wait{.deadline = deadline_};
    if (is_main_thread()) {
      wait.interruptible = true;
      wait.on_signal = {&HandledWait::handle, this};
    }
    note_thread();
    state_ = let_gil_go();
    const auto result = call(static_cast<const Embedding::Wait&>(wait));
    static_assert(std::is_trivially_destructible_v<decltype(result)>);
    take_gil_back(state_);
    return result;
  }

  bool raised() const { return raised_; }

 private:
  // Below the lot's noexcept frames; on the main thread, which shutdown does not end.
  static bool handle(void* context) {
    auto& self = *static_cast<HandledWait*>(context);
    take_gil_back(self.state_);
    self.raised_ = Py_MakePendingCalls() < 0;
    self.state_ = let_gil_go();
    return !self.raised_;
  }

  Deadline deadline_;
  PyThreadState* state_ = nullptr;
  bool raised_ = false;
};

// The bound of the next piece of a wait that leaves its queue to run signal handlers. On the main thread it is a short
// one at first: a signal that is handled just before the thread falls asleep interrupts nothing, and must not wait for
// ever.
class Pieces {
 public:
  explicit Pieces(Deadline deadline) : deadline_(deadline), on_main_thread_(is_main_thread()) {}

  // Also begins the next piece.
  Embedding::Wait next() {
    Deadline bound = deadline_;
    if (on_main_thread_) {
      const std::int64_t now = threading::detail::backend::monotonic_now();
      if (since_ == 0) since_ = now;
      const Deadline look_up = Deadline::after(length_, now);
      if (look_up.nanoseconds() < bound.nanoseconds()) bound = look_up;
      length_ = length_ * 2 < kLongest ? length_ * 2 : kLongest;
      note_piece({.bound = bound, .whole = deadline_, .since = since_});
    }
    return {.deadline = bound, .interruptible = on_main_thread_};
  }
  bool over() const { return deadline_.expired(); }

 private:
  static constexpr std::int64_t kShortest = 20'000'000;  // nanoseconds
  static constexpr std::int64_t kLongest = 1'000'000'000;

  Deadline deadline_;
  std::int64_t length_ = kShortest;
  std::int64_t since_ = 0;  // 0: no piece has begun
  bool on_main_thread_;
};

// Waits for a Lock or an RLock that somebody else holds.
// It is taken before the GIL, as the stdlib's are: a thread that a release has woken does not lose the lock to one that
// comes later and happens to get the GIL first.
// One that is `shared` with C++ is only looked at first, and tried once the GIL is there: a thread that owned it while
// it queues for the GIL would keep C++ out for as long as that takes. After one failure it queues for the lock itself,
// so that it cannot starve.
// Returns: 1 taken, 0 timed out, -1 with an exception set.
template <class L>
int wait_for_lock(L& lock, bool shared, Deadline deadline) {
  Pieces pieces(deadline);
  bool only_look = shared;
  for (;;) {
    const Embedding::Wait wait = pieces.next();
    bool taken = false;
    const Outcome outcome = without_gil([&lock, &wait, &taken, only_look] {
      const Outcome result = only_look ? Embedding::wait_until_free(lock, wait) : Embedding::acquire(lock, wait);
      taken = result == Outcome::ok && !only_look;
      // Taking the GIL back may end this thread now, and nobody could release what it took, or try in its place.
      if (result == Outcome::ok && is_finalizing()) {
        taken ? lock.unlock() : Embedding::pass_on(lock);
        taken = false;
      }
      return result;
    });
    if (taken) return 1;
    if (outcome != Outcome::ok && Py_MakePendingCalls() < 0) return -1;
    if (lock.try_lock()) return 1;
    if (outcome == Outcome::timed_out && pieces.over()) return 0;
    if (outcome == Outcome::ok) only_look = false;
  }
}

}  // namespace face
