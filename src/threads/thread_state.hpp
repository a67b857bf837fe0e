// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>

#include <threading/detail/thread_body.hpp>
#include <threading/detail/thread_token.hpp>
#include <threading/lock.hpp>
#include <threading/thread.hpp>

#include "platform/os_thread.hpp"

namespace threading::inline v1::detail {

// The object behind a Thread. Counted by its handles and, while it runs, by the thread itself (PerThread::thread).
// Its word and life are told in life.cpp.
class ThreadState {
 public:
  // embedded: a language runtime makes, and ends, the OS thread; see Embedding::new_thread().
  enum class Kind : std::uint8_t { thread, timer, dummy, main, embedded };

  constexpr explicit ThreadState(Kind of) noexcept : kind(of) {}
  ThreadState(const ThreadState&) = delete;
  ThreadState& operator=(const ThreadState&) = delete;
  virtual ~ThreadState();

  // Makes a thread run the body, or sees to it that one will. Requires: begun, in the registry; the running thread's
  // reference is taken. Returns: false when the system has no thread to give.
  virtual bool launch() noexcept;
  // When a timer will fire, for dump(). Called with the registry locked.
  virtual Deadline fires_at() const noexcept { return Deadline::never(); }

  // What joiners wait for, and what dump() reads while they do. Their queue's key is the address of `join`.
  struct Join {
    backend::atomic<std::uint32_t> word{0};  // see life.cpp
    backend::atomic<ThreadToken> token{0};   // that of the OS thread that runs it
  };

  backend::atomic<std::uint32_t> refs{1};
  backend::atomic<std::uint32_t> native_id{0};  // 0: not known yet; kIdWanted: somebody waits for it
  Join join;
  backend::atomic<Ident> ident{0};  // 0: not started
  platform::OsThread os;            // written by start(), read by whoever claims the end
  std::uint64_t number = 0;         // of the default name
  std::size_t stack_size = 0;

  // Links of the registry; guarded by its lock.
  ThreadState* next = nullptr;
  ThreadState* previous = nullptr;
  bool is_listed = false;
  // Guarded by the registry's lock, too. Pointers, so that a pending Timer is small.
  std::string* name = nullptr;             // null: "Thread-N", "Dummy-N", "MainThread"
  std::exception_ptr* failure = nullptr;   // what left run()
  backend::stop_source* stop = nullptr;    // made when first asked for
  backend::atomic<bool> is_daemon{false};  // written under the lock and before start() only

  const Kind kind;
  backend::atomic<Kind> role{kind};  // `main` for whatever thread is left after a fork
  bool takes_stop = false;
  bool keeps_body = false;
  std::uint8_t align_bits = 0;   // of the block, if it is over-aligned
  Body* body = nullptr;          // owned; destroyed by the thread after run(), or with the state
  std::uint32_t fork_count = 0;  // the process in which it was started
};

// The state behind a handle, for the library.
struct ThreadAccess {
  static ThreadState& state(const Thread& thread) noexcept { return *thread.handle(); }
  // A Thread for a state; takes over one reference, or takes one more.
  static Thread adopt(ThreadState& owned) noexcept { return Thread(ThreadHandle(&owned)); }
  static Thread share(ThreadState& state) noexcept {
    retain(state);
    return adopt(state);
  }
};

// new_thread() for a state of another class. `size` and `align` are that class's; `make` constructs it at an address.
NewThread new_thread_block(ThreadOptions&& options, const BodyPlan& plan, std::size_t size,
                           ThreadState* (*make)(void* at));

}  // namespace threading::inline v1::detail
