// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <threading/detail/thread_body.hpp>
#include <threading/errors.hpp>
#include <threading/timeout.hpp>

namespace threading::inline v1 {

// Python's thread identifier: not zero, unique among living threads, reused afterwards.
using Ident = std::uint64_t;
// The number that the operating system gave the thread.
using NativeId = std::int32_t;

// Python's threading.Thread: an activity that runs in a thread of control of its own.
//
// A Thread is a small copyable reference to a thread object, as a variable in Python is. Copies mean the same thread,
// compare equal and hash alike. A Thread is never empty: one that was moved from still means its thread. Dropping the
// last reference does nothing to a running thread.
//
// Visibility: what was done before start() is seen by the thread; what the thread did, destructors of its thread-local
// objects included, is seen after a join() that returns true.
// Python differences: there is no group; kwargs are captured by a lambda; run() is overridden in the body of a
// ThreadOf.
class THREADING_API Thread {
 public:
  using Options = ThreadOptions;

  // A thread that will call `target(args...)`. Both are copied, or moved, as std::thread does it; pass std::ref for a
  // reference. A target that takes a std::stop_token first is given this thread's own. Target and arguments are
  // destroyed in the thread, once the target has returned.
  // Throws: ValueError for a bad stack_size, as stack_size() does.
  template <class F, class... Args>
    requires(!std::derived_from<std::remove_cvref_t<F>, Thread> && !std::same_as<std::remove_cvref_t<F>, Options>)
  explicit Thread(F&& target, Args&&... args)
      : Thread(Options(), std::forward<F>(target), std::forward<Args>(args)...) {}
  template <class F, class... Args>
  Thread(Options options, F&& target, Args&&... args)
      : Thread(make<detail::TargetBody<std::decay_t<F>, std::decay_t<Args>...>>(
            std::move(options), std::forward<F>(target), std::forward<Args>(args)...)) {}

  // Starts the thread; it is alive from then on and its ident is known.
  // Throws: RuntimeError "threads can only be started once"; RuntimeError "can't start new thread" when the system has
  // none to give, after which it may be tried again; RuntimeError "can't create new thread at interpreter shutdown"
  // once the process has waited for its threads.
  void start();

  // Waits until the thread has terminated: its thread-local values are destroyed and the OS thread is gone. Any number
  // of threads may join, any number of times. A negative timeout has passed already. Blocks.
  // Returns: true: it has terminated; false on timeout, or when stop was requested first.
  // Throws: RuntimeError "cannot join thread before it is started"; DeadlockError "cannot join current thread";
  // RuntimeError "cannot join a dummy thread"; RuntimeError "cannot join thread at interpreter shutdown" for a daemon
  // that will never end any more.
  void join() const;
  bool join(Timeout timeout) const;
  bool join(Timeout timeout, detail::backend::stop_token stop) const;

  // A label without meaning. A thread that renames itself tells the operating system, too (15 bytes).
  std::string name() const;
  void name(std::string name);

  // Whether the process may end while this thread runs.
  // Throws: RuntimeError "cannot set daemon status of active thread" once it was started.
  bool daemon() const;
  void daemon(bool daemon);

  // From start() until run() has returned and the values of the thread are destroyed.
  bool is_alive() const;

  // Nothing before start(), and perhaps until it has returned, although enumerate() lists the thread by then; known for
  // ever after.
  std::optional<Ident> ident() const;
  // Waits for a thread that is just being started. Nothing before start(), and for a Timer before it fires.
  std::optional<NativeId> native_id() const;

  // What left run(), if anything did. Null while the thread runs.
  std::exception_ptr exception() const;

  // Whose token the target receives. Requesting stop is all up to the target; nothing else looks at it.
  detail::backend::stop_source& stop_source() const;

  friend bool operator==(const Thread& a, const Thread& b) noexcept { return a.handle_.get() == b.handle_.get(); }

  [[deprecated("use name()")]] std::string getName() const { return name(); }
  [[deprecated("use name(value)")]] void setName(std::string value) { name(std::move(value)); }
  [[deprecated("use daemon()")]] bool isDaemon() const { return daemon(); }
  [[deprecated("use daemon(value)")]] void setDaemon(bool value) { daemon(value); }

 protected:
  explicit Thread(detail::ThreadHandle handle) noexcept : handle_(std::move(handle)) {}
  const detail::ThreadHandle& handle() const noexcept { return handle_; }

 private:
  friend struct Embedding;
  friend struct detail::ThreadAccess;

  template <class B, class... Args>
  static detail::ThreadHandle make(Options&& options, Args&&... args) {
    return detail::with_body<B>(detail::new_thread(std::move(options), B::plan()), std::forward<Args>(args)...);
  }

  detail::ThreadHandle handle_;
};

// A body with a run() of its own, for ThreadOf. Deriving from it is a way to say so, not a must.
struct THREADING_API Runnable {
  virtual ~Runnable();
  virtual void run() = 0;
};

// Python's subclass that overrides run(): the object lives inside the thread object, is built by the constructor,
// reached by -> and *, and destroyed with the last reference. Its run() may take the thread's std::stop_token.
//
//   ThreadOf<Downloader> d({.name = "dl"}, url);  d.start();  d.join();  use(d->result);
template <class R>
class ThreadOf : public Thread {
  using Body = detail::ObjectBody<R>;
  // Asked first: what R could be made from is of no account for a copy. An R made from another Thread is no copy.
  template <class... Args>
  static constexpr bool kIsCopyOf =
      sizeof...(Args) == 1 && (std::derived_from<std::remove_cvref_t<Args>, ThreadOf> && ...);

 public:
  template <class... Args>
    requires(!kIsCopyOf<Args...> && std::constructible_from<R, Args...>)
  explicit ThreadOf(Args&&... args) : ThreadOf(Options(), std::forward<Args>(args)...) {}
  template <class... Args>
    requires std::constructible_from<R, Args...>
  explicit ThreadOf(Options options, Args&&... args)
      : ThreadOf(Making(), detail::new_thread(std::move(options), Body::plan()), std::forward<Args>(args)...) {}
  ThreadOf(const ThreadOf&) = default;  // said for -Weffc++, which asks whoever has a pointer
  ThreadOf& operator=(const ThreadOf&) = default;

  R& operator*() const noexcept { return body_->object; }
  R* operator->() const noexcept { return &body_->object; }

 private:
  struct Making {};
  template <class... Args>
  ThreadOf(Making, const detail::NewThread& made, Args&&... args)
      : Thread(detail::ThreadHandle(made.state)),
        body_(detail::construct_body<Body>(made, std::forward<Args>(args)...)) {}

  Body* body_;
};

// Constructs a Thread and starts it.
template <class F, class... Args>
  requires(!std::same_as<std::remove_cvref_t<F>, Thread::Options>)
Thread spawn(F&& target, Args&&... args) {
  Thread thread(std::forward<F>(target), std::forward<Args>(args)...);
  thread.start();
  return thread;
}
template <class F, class... Args>
Thread spawn(Thread::Options options, F&& target, Args&&... args) {
  Thread thread(std::move(options), std::forward<F>(target), std::forward<Args>(args)...);
  thread.start();
  return thread;
}

// Requests stop and joins at the end of a scope, also when an exception leaves it. A thread that was not started by
// then, that ends the scope itself, a dummy, or a daemon once the process has waited for its threads, is not joined.
class THREADING_API Joining {
 public:
  explicit Joining(Thread thread) noexcept : thread_(std::move(thread)) {}
  Joining(const Joining&) = delete;
  Joining& operator=(const Joining&) = delete;
  ~Joining();

  Thread& operator*() noexcept { return thread_; }
  Thread* operator->() noexcept { return &thread_; }

 private:
  Thread thread_;
};

// The Thread of the caller. A thread that the library did not start gets a dummy: alive, daemonic, not joinable, gone
// from enumerate() when its OS thread ends.
THREADING_API Thread current_thread();
// The thread that entered main(); in a forked child the one that called fork().
THREADING_API Thread main_thread();
// All threads that are alive: the main thread, then the others in the order in which they were started.
THREADING_API std::vector<Thread> enumerate();
// How many enumerate() would return.
THREADING_API std::size_t active_count();

// The caller's, with or without a Thread object.
THREADING_API Ident get_ident();
THREADING_API NativeId get_native_id();

// The stack size of threads started later that do not choose one; bytes, 0: the system's default. The second form sets
// it, rounded up to whole pages. Returns: the size used so far.
// Throws: ValueError "size not valid: N bytes" below 32768; ValueError "size must be 0 or a positive value" for what
// was negative before it became unsigned. The size is then unchanged.
// Python differences: stack_size() without argument only asks; Python's resets the size to 0.
THREADING_API std::size_t stack_size();
THREADING_API std::size_t stack_size(std::size_t bytes);

// What excepthook is told of an exception that left run().
struct ExceptHookArgs {
  std::exception_ptr exception;
  Thread thread;
};
using ExceptHook = std::function<void(const ExceptHookArgs&)>;

// Sets what is called, in the failing thread, when an exception leaves run(); empty restores the default, which prints
// the thread's name, the exception's type and its text on stderr. Returns: the hook set before, empty for the default.
// A hook that throws does not end the process: both exceptions are reported on stderr.
THREADING_API ExceptHook set_excepthook(ExceptHook hook);
// Calls the hook that is set.
THREADING_API void excepthook(const ExceptHookArgs& args);

// As the first line of main(): the end of its scope waits for every non-daemon thread and stops daemon threads, so
// before any static object is destroyed. Without it the same happens among the destructors of static objects, in the
// order in which the first start() came among their constructors.
class THREADING_API Main {
 public:
  Main();
  Main(const Main&) = delete;
  Main& operator=(const Main&) = delete;
  ~Main();
};

[[deprecated("use current_thread()")]] inline Thread currentThread() { return current_thread(); }
[[deprecated("use active_count()")]] inline std::size_t activeCount() { return active_count(); }

}  // namespace threading::inline v1

template <>
struct std::hash<threading::Thread> {
  THREADING_API std::size_t operator()(const threading::Thread& thread) const noexcept;
};
