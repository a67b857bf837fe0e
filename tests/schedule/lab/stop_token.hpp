// SPDX-License-Identifier: MIT
//
// std::stop_source, std::stop_token and std::stop_callback on the lab's threads. The standard's own would ask the
// operating system which thread runs, and all of ours are one.
//
// As the standard has it: callbacks run on the thread that requests the stop, one after the other, without a lock
// held; the destructor of a callback that is running on another thread waits for it.
#pragma once

#include <stop_token>
#include <type_traits>
#include <utility>

namespace lab {

namespace detail {

struct StopState;

class StopCallback {
 public:
  StopCallback(const StopCallback&) = delete;
  StopCallback& operator=(const StopCallback&) = delete;

 protected:
  explicit StopCallback(void (*invoke)(StopCallback&)) noexcept : invoke_(invoke) {}
  ~StopCallback() = default;
  // Runs the callback at once if stop was requested, else when it is.
  void attach(StopState* state);
  void detach() noexcept;

 private:
  friend struct StopState;

  void (*invoke_)(StopCallback&);
  StopState* state_ = nullptr;
  StopCallback* next_ = nullptr;
  StopCallback* previous_ = nullptr;
  bool linked_ = false;
  bool* destroyed_ = nullptr;  // while it runs: told when its own code destroys it
};

// A counted reference to the state, by a source or a token.
class StopReference {
 public:
  StopReference() noexcept = default;
  StopReference(StopState* state, bool source) noexcept;
  StopReference(const StopReference& other) noexcept : StopReference(other.state_, other.source_) {}
  StopReference(StopReference&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)), source_(other.source_) {}
  StopReference& operator=(StopReference other) noexcept {
    std::swap(state_, other.state_);
    std::swap(source_, other.source_);
    return *this;
  }
  ~StopReference();

  StopState* get() const noexcept { return state_; }
  bool requested() const noexcept;
  bool possible() const noexcept;
  bool request() const noexcept;

 private:
  StopState* state_ = nullptr;
  bool source_ = false;
};

StopState* new_stop_state();

}  // namespace detail

class stop_token {
 public:
  stop_token() noexcept = default;
  bool stop_requested() const noexcept { return state_.requested(); }
  bool stop_possible() const noexcept { return state_.possible(); }
  void swap(stop_token& other) noexcept { std::swap(state_, other.state_); }
  friend bool operator==(const stop_token& a, const stop_token& b) noexcept { return a.state_.get() == b.state_.get(); }

 private:
  friend class stop_source;
  template <class F>
  friend class stop_callback;
  explicit stop_token(detail::StopState* state) noexcept : state_(state, false) {}

  detail::StopReference state_;
};

class stop_source {
 public:
  stop_source() : state_(detail::new_stop_state(), true) {}
  explicit stop_source(std::nostopstate_t) noexcept {}
  stop_token get_token() const noexcept { return stop_token(state_.get()); }
  bool stop_requested() const noexcept { return state_.requested(); }
  bool stop_possible() const noexcept { return state_.get() != nullptr; }
  bool request_stop() const noexcept { return state_.request(); }
  void swap(stop_source& other) noexcept { std::swap(state_, other.state_); }
  friend bool operator==(const stop_source& a, const stop_source& b) noexcept {
    return a.state_.get() == b.state_.get();
  }

 private:
  detail::StopReference state_;
};

template <class F>
class stop_callback : private detail::StopCallback {
 public:
  using callback_type = F;

  template <class C>
    requires std::is_constructible_v<F, C>
  explicit stop_callback(const stop_token& token, C&& callback)
      : StopCallback(&run), callback_(std::forward<C>(callback)), token_(token) {
    attach(token.state_.get());
  }
  ~stop_callback() { detach(); }

 private:
  static void run(detail::StopCallback& self) { std::forward<F>(static_cast<stop_callback&>(self).callback_)(); }

  F callback_;
  stop_token token_;
};

template <class F>
stop_callback(stop_token, F) -> stop_callback<F>;

}  // namespace lab
