// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>

#include <threading/detail/thread_body.hpp>
#include <threading/detail/thread_token.hpp>
#include <threading/lock.hpp>
#include <threading/thread.hpp>

#include "platform/os_thread.hpp"

namespace threading::inline v1::detail {

// What few threads have. Guarded by the registry's lock.
struct Extras {
  std::string name;  // if has_name; else "Thread-N", "Dummy-N", "MainThread"
  bool has_name = false;
  std::exception_ptr failure;                // what left run()
  std::optional<backend::stop_source> stop;  // made when first asked for
};

// The object behind a Thread. Counted by its handles and, from its making on, by the thread that will run it
// (PerThread::thread); thread.cpp tells of that count. Its word and life are told in life.cpp. There may be a million of
// them, pending Timers: what those do not need is in OsThreadState, or made when it is asked for.
class ThreadState {
 public:
  // embedded: a language runtime makes, and ends, the OS thread; see Embedding::new_thread().
  enum class Kind : std::uint8_t { thread, timer, dummy, main, embedded };

  constexpr explicit ThreadState(Kind of) noexcept
      : kind(of), refs(first_refs(of)) {}
  ThreadState(const ThreadState&) = delete;
  ThreadState& operator=(const ThreadState&) = delete;
  virtual ~ThreadState();

  // Begins the thread by threads::begin(), whose exceptions pass, and makes an OS thread run the body, or sees to it
  // that one will. Returns: false when the system has no thread to give; the thread is begun then, to be taken back.
  virtual bool launch() = 0;
  // When a timer will fire, for dump(). Called with the registry locked.
  virtual Deadline fires_at() const noexcept { return Deadline::never(); }

  // What joiners wait for, and what dump() reads while they do. Their queue's key is the address of `join`.
  struct Join {
    backend::atomic<std::uint32_t> word{0};  // see life.cpp
    backend::atomic<ThreadToken> token{0};   // that of the OS thread that runs it
  };

  // One handle's, and the thread's own.
  static constexpr std::uint32_t kUnstartedRefs = 2;
  // A dummy is made by the thread that runs already. The main thread's state is never destroyed, started or not.
  static constexpr std::uint32_t first_refs(Kind of) noexcept {
    return of == Kind::dummy ? 1 : of == Kind::main ? kUnstartedRefs + 1 : kUnstartedRefs;
  }

  // In this order, because of a hundred thousand Timers, which fit in no cache: what is written when it is made comes
  // first, and last, beside the fields of TimerState and the body, what its end needs.
  Extras* extras = nullptr;      // owned; null until one of them is needed; guarded by the registry's lock
  std::uint64_t number = 0;      // of the default name
  std::uint32_t fork_count = 0;  // the process in which it was started
  std::uint32_t block = 0;       // the number of its memory, see platform/block_pool.hpp
  const Kind kind;
  backend::atomic<Kind> role{kind};        // `main` for whatever thread is left after a fork
  backend::atomic<bool> is_daemon{false};  // written under the registry's lock and before start() only
  bool takes_stop = false;
  bool keeps_body = false;
  std::uint8_t align_bits = 0;                  // of the block
  backend::atomic<std::uint32_t> native_id{0};  // 0: not known yet; kIdWanted: somebody waits for it
  backend::atomic<std::uint32_t> refs;
  Join join;
  Body* body = nullptr;  // owned; destroyed by the thread after run(), or with the state

  // Guarded by the registry's lock.
  ThreadState* next = nullptr;
  ThreadState* previous = nullptr;
  bool is_listed = false;
};

// The state of a thread that has, or will have, an OS thread to itself: of all but a Timer.
class OsThreadState final : public ThreadState {
 public:
  using ThreadState::ThreadState;
  ~OsThreadState() override;

  bool launch() override;

  backend::atomic<Ident> ident{0};  // 0: not started
  platform::OsThread os;            // written by start(), read by whoever claims the end
  std::size_t stack_size = 0;       // 0: what stack_size() says at start()
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

// new_thread() for a state of any class, `size` bytes, that `make` constructs at an address. Leaves in
// options.stack_size the size to give to the system. Throws: as new_thread().
NewThread new_thread_block(ThreadOptions& options, const BodyPlan& plan, std::size_t size,
                           ThreadState* (*make)(void* at) noexcept);

}  // namespace threading::inline v1::detail
