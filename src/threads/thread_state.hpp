// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
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
  std::uint64_t number = 0;  // of the default name
  std::string name;          // if has_name; else "Thread-N", "Dummy-N", "MainThread"
  bool has_name = false;
  std::exception_ptr failure;                // what left run()
  std::optional<backend::stop_source> stop;  // made when first asked for
};

// The number of a thread's default name, or what few threads have, in one word: 2 n + 1, or an address. Guarded by the
// registry's lock, but for a number that is there: anybody may read it, it is only ever replaced by an address.
class NumberOrExtras {
 public:
  constexpr NumberOrExtras() noexcept = default;
  NumberOrExtras(const NumberOrExtras&) = delete;
  NumberOrExtras& operator=(const NumberOrExtras&) = delete;

  void set_number(std::uint64_t number) noexcept { store(number << 1 | 1); }
  // Takes it over.
  void set_extras(Extras* extras) noexcept { store(reinterpret_cast<std::uintptr_t>(extras)); }

  Extras* extras() const noexcept {
    const std::uint64_t word = load();
    return is_number(word) ? nullptr : to_extras(word);
  }
  std::uint64_t number() const noexcept {
    const std::uint64_t word = load();
    return is_number(word) ? word >> 1 : to_extras(word)->number;
  }
  // Without the lock. Returns: whether there is nothing but the number.
  bool has_only(std::uint64_t& number) const noexcept {
    const std::uint64_t word = load();
    number = word >> 1;
    return is_number(word);
  }

 private:
  static bool is_number(std::uint64_t word) noexcept { return (word & 1) != 0; }
  static Extras* to_extras(std::uint64_t word) noexcept {
    return reinterpret_cast<Extras*>(static_cast<std::uintptr_t>(word));
  }
  // relaxed, both: the lock orders the rest, and a number is a number and nothing else.
  std::uint64_t load() const noexcept { return word_.load(std::memory_order_relaxed); }
  void store(std::uint64_t word) noexcept { word_.store(word, std::memory_order_relaxed); }

  backend::atomic<std::uint64_t> word_{1};
};

// The object behind a Thread. Counted by its handles and, from its making on, by the thread that will run it
// (PerThread::thread); thread.cpp tells of that count. Its word and life are told in life.cpp. There may be a million
// of them, pending Timers, and how many fit into the caches decides how long a Timer takes: what those do not need is
// in OsThreadState, or made when it is asked for, and there is no table of virtual functions.
class ThreadState {
 public:
  // embedded: a language runtime makes, and ends, the OS thread; see Embedding::new_thread().
  enum class Kind : std::uint8_t { thread, timer, dummy, main, embedded };

  // `size`: of the class that is derived from this one. Bytes.
  constexpr ThreadState(Kind of, std::size_t size) noexcept
      : refs(first_refs(of)), role(of), kind(of), words_((size / kWord) & 31u) {}
  ThreadState(const ThreadState&) = delete;
  ThreadState& operator=(const ThreadState&) = delete;
  // Not virtual: release() knows the class by its kind. Of a Timer there is nothing more.
  ~ThreadState();

  // What joiners wait for, and what dump() reads while they do. Their queue's key is the address of `join`.
  struct Join {
    backend::atomic<std::uint32_t> word{0};  // see life.cpp
    backend::atomic<ThreadToken> token{0};   // that of the OS thread that runs it
  };

  // Not started. For others than release(), see is_started() in life.hpp.
  bool is_fresh() const noexcept {
    return (join.word.load(std::memory_order_relaxed) & kPhase) == 0;  // relaxed: see thread.cpp
  }
  static constexpr std::uint32_t kPhase = 3;  // of the word; 0: fresh

  // One handle's, and the thread's own.
  static constexpr std::uint32_t kUnstartedRefs = 2;
  // A dummy is made by the thread that runs already. The main thread's state is never destroyed, started or not.
  static constexpr std::uint32_t first_refs(Kind of) noexcept {
    return of == Kind::dummy ? 1 : of == Kind::main ? kUnstartedRefs + 1 : kUnstartedRefs;
  }

  // The body's alignment, a power of two, and where it is: behind the state, in the same block.
  std::size_t align() const noexcept { return std::size_t{1} << align_bits; }
  std::size_t body_offset() const noexcept { return (words_ * kWord + align() - 1) & ~(align() - 1); }
  // Owned; destroyed by the thread after run(), or with the state. Null: none, or not any more.
  Body* body() noexcept {
    if (!has_body) return nullptr;
    void* const at = reinterpret_cast<std::byte*>(this) + body_offset();
    return std::launder(static_cast<Body*>(at));
  }

  // `native_id` and `join` are keys of the lot. Whoever moves a field hunts seeded bug 901: where the two share a
  // bucket of the lab's small table, its lock hides that bug.
  NumberOrExtras label;                         // guarded by the registry's lock, but for a number
  std::uint32_t fork_count = 0;                 // the process in which it was started
  backend::atomic<std::uint32_t> native_id{0};  // 0: not known yet; kIdWanted: somebody waits for it
  std::uint32_t block = 0;                      // the number of its memory, see platform/block_pool.hpp
  backend::atomic<std::uint32_t> refs;
  Join join;
  ThreadState* next = nullptr;             // guarded by the registry's lock
  ThreadState* previous = nullptr;         // guarded by the registry's lock
  backend::atomic<Kind> role;              // `main` for whatever thread is left after a fork
  backend::atomic<bool> is_daemon{false};  // written under the registry's lock and before start() only
  const Kind kind : 3;

 private:
  static constexpr std::size_t kWord = sizeof(void*);  // divides the size of every class
  const std::uint8_t words_ : 5;                       // the size in those

 public:
  std::uint8_t align_bits : 6 = 0;
  bool takes_stop : 1 = false;
  bool keeps_body : 1 = false;
  bool has_body = false;
  bool is_listed = false;  // guarded by the registry's lock
};

// The state of a thread that has, or will have, an OS thread to itself: of all but a Timer.
class OsThreadState final : public ThreadState {
 public:
  constexpr explicit OsThreadState(Kind of) noexcept;
  ~OsThreadState();

  // Begins the thread by threads::begin(), whose exceptions pass, and makes an OS thread run the body. Returns: false
  // when the system has no thread to give; the thread is begun then, to be taken back.
  bool launch();

  backend::atomic<Ident> ident{0};  // 0: not started
  platform::OsThread os;            // written by start(), read by whoever claims the end
  std::size_t stack_size = 0;       // 0: what stack_size() says at start()
};
constexpr OsThreadState::OsThreadState(Kind of) noexcept : ThreadState(of, sizeof(OsThreadState)) {}
static_assert(sizeof(OsThreadState) < 32 * sizeof(void*), "as many words as ThreadState can count");

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
