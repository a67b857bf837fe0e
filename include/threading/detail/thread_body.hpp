// SPDX-License-Identifier: MIT
//
// What a thread runs, and how thread.hpp hands it to the library: the library makes one block of memory for the thread
// object and, behind it, the body; the template that knows the body's type constructs it there.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <threading/detail/backend.hpp>
#include <threading/detail/config.hpp>

namespace threading::inline v1 {

// How a Thread is made. `Thread::Options`. New fields come at the end.
struct ThreadOptions {
  std::string name = {};            // empty: "Thread-N"
  std::optional<bool> daemon = {};  // nothing: as the current thread
  std::size_t stack_size = 0;       // bytes; 0: what stack_size() says at start()
};

namespace detail {

// What a thread runs. Constructed and destroyed once, run at most once.
class THREADING_API Body {
 public:
  Body() = default;
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;
  virtual ~Body();
  virtual void run(backend::stop_token stop) = 0;
};

struct BodyPlan {
  std::size_t size;
  std::size_t align;
  bool takes_stop;  // run() wants a token that can be stopped
  bool is_kept;     // lives as long as the thread object, not only until run() has returned
};

// A function and its arguments, copied or moved in, moved out to the one call.
template <class F, class... Args>
class TargetBody final : public Body {
 public:
  static constexpr bool kTakesStop = std::is_invocable_v<F, backend::stop_token, Args...>;
  static constexpr BodyPlan plan() noexcept { return {sizeof(TargetBody), alignof(TargetBody), kTakesStop, false}; }
  static_assert(kTakesStop || std::is_invocable_v<F, Args...>,
                "a thread's target must be callable with the arguments given, converted to rvalues");

  template <class... Given>
  explicit TargetBody(std::in_place_t, Given&&... given) : call_(std::forward<Given>(given)...) {}

  void run([[maybe_unused]] backend::stop_token stop) override {
    std::apply(
        [&](F& function, Args&... args) {
          if constexpr (kTakesStop) {
            std::invoke(std::move(function), std::move(stop), std::move(args)...);
          } else {
            std::invoke(std::move(function), std::move(args)...);
          }
        },
        call_);
  }

 private:
  std::tuple<F, Args...> call_;
};

// An object with a member function run(), which may take a stop_token.
template <class R>
class ObjectBody final : public Body {
 public:
  static constexpr bool kTakesStop = requires(R& r, backend::stop_token stop) { r.run(stop); };
  static constexpr BodyPlan plan() noexcept { return {sizeof(ObjectBody), alignof(ObjectBody), kTakesStop, true}; }

  template <class... Args>
  explicit ObjectBody(std::in_place_t, Args&&... args) : object(std::forward<Args>(args)...) {}

  void run([[maybe_unused]] backend::stop_token stop) override {
    if constexpr (kTakesStop) {
      object.run(std::move(stop));
    } else {
      object.run();
    }
  }

  R object;
};

class ThreadState;
struct ThreadAccess;  // for the library: the state behind a Thread

THREADING_API void retain(ThreadState& state) noexcept;
THREADING_API void release(ThreadState& state) noexcept;

// A reference to a thread object; never null.
class THREADING_API ThreadHandle {
 public:
  explicit ThreadHandle(ThreadState* owned) noexcept : state_(owned) {}  // takes over one reference
  ThreadHandle(const ThreadHandle& other) noexcept : state_(other.state_) { retain(*state_); }
  ThreadHandle& operator=(const ThreadHandle& other) noexcept {
    retain(*other.state_);
    release(*std::exchange(state_, other.state_));
    return *this;
  }
  ~ThreadHandle() { release(*state_); }

  ThreadState& operator*() const noexcept { return *state_; }
  ThreadState* get() const noexcept { return state_; }

 private:
  ThreadState* state_;
};

// A thread object, with its first reference, which the caller takes over; and room for a body, which must be
// constructed there and then adopted.
struct NewThread {
  ThreadState* state;
  void* room;
};
// Throws: ValueError for a bad stack size, std::bad_alloc.
THREADING_API NewThread new_thread(ThreadOptions&& options, const BodyPlan& plan);
// The body stands in its room: from now on it is the state's.
THREADING_API void adopt_body(ThreadState& state) noexcept;

template <class B, class... Args>
B* construct_body(const NewThread& made, Args&&... args) {
  B* const body = ::new (made.room) B(std::in_place, std::forward<Args>(args)...);
  adopt_body(*made.state);
  return body;
}
template <class B, class... Args>
ThreadHandle with_body(const NewThread& made, Args&&... args) {
  ThreadHandle handle(made.state);
  construct_body<B>(made, std::forward<Args>(args)...);
  return handle;
}

}  // namespace detail
}  // namespace threading::inline v1
