// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include <threading/detail/lock_word.hpp>
#include <threading/errors.hpp>
#include <threading/timeout.hpp>

namespace threading::inline v1 {

namespace detail {
THREADING_API extern const WaitKind kBarrierKind;
}

// Python's threading.Barrier: `parties` threads wait for each other, again and again; the barrier can break.
//
// State      | wait()                        | reset()            | abort()
// filling    | blocks; the last one releases | breaks the waiters | broken
// draining   | blocks until filling          | breaks the waiters | broken          (an action is running)
// broken     | BrokenBarrierError            | filling            | –
//
// Not copyable, not movable. Allocates only to keep an action.
// Lifetime: may be destroyed while no thread is inside wait(), by a thread that has passed as well.
// Visibility: what each party did before wait() is seen by the action and by all parties after it.
class THREADING_API Barrier {
 public:
  // `action`, if any, is run by the thread that arrives last, before anyone proceeds. `timeout` is the default of
  // wait(); one made from a duration counts from each wait().
  // Throws: ValueError "parties must be >= 1" for 0 and for more than 2^28.
  explicit Barrier(std::size_t parties, std::function<void()> action = {}, Timeout timeout = forever);
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;
  ~Barrier();

  // Waits until all parties have called it. A timeout or a stop request that ends the wait breaks the barrier.
  // Returns: the order of arrival, 0 … parties-1, different for each thread. Blocks; the last one wakes.
  // Throws: BrokenBarrierError (empty message) when the barrier is or becomes broken, or is reset meanwhile; what
  // the action throws, in the thread that ran it, which breaks the barrier.
  std::size_t wait() { return wait(default_timeout()); }
  std::size_t wait(Timeout timeout) { return wait_for_others(timeout, nullptr); }
  std::size_t wait(Timeout timeout, detail::backend::stop_token stop) { return wait_for_others(timeout, &stop); }

  // Back to filling, empty and whole. Threads inside wait() get BrokenBarrierError. Wakes.
  void reset() noexcept;
  // Breaks the barrier: threads inside wait() and future callers get BrokenBarrierError. Wakes.
  void abort() noexcept;

  // How many threads make a set.
  std::size_t parties() const noexcept { return parties_; }
  // Returns: how many threads wait while the barrier fills; else 0.
  std::size_t n_waiting() const noexcept;
  bool broken() const noexcept;

 private:
  friend struct Embedding;

  using Word = detail::backend::atomic<std::uint32_t>;
  enum class Step : std::uint8_t { passed, must_act, full, draining, broken, timed_out, interrupted };
  struct Arrival {
    Step step;
    std::size_t index = 0;
  };

  Timeout default_timeout() const noexcept { return Timeout::make(timeout_ns_, timeout_kind_); }
  std::size_t wait_for_others(Timeout timeout, const detail::backend::stop_token* stop);
  Arrival enter(const detail::WaitOptions& options);
  Arrival arrive(const detail::WaitOptions& options);
  Arrival wait_while_draining(const detail::WaitOptions& options);
  bool is_full() const noexcept;
  Arrival complete() noexcept;
  bool finish_draining(bool action_failed) noexcept;
  void wake_rest_of_broken_set() noexcept;
  void wake_all_broken(std::uint32_t clear, std::uint32_t set) noexcept;
  const void* draining_key() const noexcept { return &parties_; }
  // Newcomers are woken after the set, when the barrier may be gone and its memory in use again: by an address inside
  // a word, which is no other object's key, and whoever waits here looks at the word once more.
  const void* newcomers_key() const noexcept { return reinterpret_cast<const char*>(&word_) + 1; }

  Word word_{0};
  std::uint32_t parties_;
  std::unique_ptr<std::function<void()>> action_;
  std::int64_t timeout_ns_;
  Timeout::Kind timeout_kind_;
};

static_assert(sizeof(Barrier) == 32 || sizeof(void*) != 8 || sizeof(detail::backend::atomic<std::uint32_t>) != 4);

}  // namespace threading::inline v1
