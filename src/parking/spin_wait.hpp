// SPDX-License-Identifier: MIT
//
// The one backoff policy. Sleeping and waking through the kernel costs thousands of nanoseconds and, when the
// processor has gone idle, tens of thousands; what a thread waits for often happens sooner. But spinning steals the
// time of whoever must act when both share a processor. So how a thread waits depends on where the last wake-up in its
// bucket came from:
//
//   another processor than the waiter's, or unknown: a short spin that only pauses, then one that offers the processor
//   to others at each turn, together for kSpinLimit. Not with a single processor. Pauses answer fastest; the offers let
//   whoever must act run when there are more threads than processors.
//
//   the same processor: the waiter, once queued, offers the processor a few times. Where nothing but the other side
//   wants to run, that costs two thirds of going to sleep and being woken, and a waker that finds its waiter awake
//   makes no system call, after which the kernel would rather run the woken thread than let the waker go on.
//
//   as many threads at once as there are processors, or more: the waiter, once queued, offers the processor a few
//   times, always; then two waiters a processor go on until kSpinLimit. They keep the processors from going idle, so
//   that waking the next is cheap; more of them would only take turns. Pauses would keep them all from those that
//   everybody waits for. The same with a few others in the queue before the waiter, wherever the wake-up came from:
//   they are let go first, and may want its processor for what it waits for.
//
// A wait that ended in neither way has failed: the next 1, 3, 7 … 63 waits at the bucket sleep at once. After an offer
// that came back late (crowd.hpp) nothing is offered: pauses between processors, sleep on the same one.
//
// Who wants a lock does not only look but takes it (contend()). While others pass the lock among themselves, each look
// takes its line away from them; so the first look comes after a while that the bucket learns (longer after a look that
// came in between, shorter after one that took the lock), and the next ones ever later. But as long as nobody has
// touched the word since the last look, it is in the looker's own cache, and looking costs nobody anything: a look that
// was answered in no time is repeated at once. That finds the end of a long section as soon as there is one. Where that
// while is short, a contender first tries to take the lock a few times in quick succession: it is often free again
// before a clock could be read twice. It does so without looking, which would fetch the line once more (see ADR 30).
//
// Who was notified contends with its notifier, which was awake before it and takes the lock again and again until there
// is nothing left to do: one that fills a queue, say. To come in between takes all lines of what the lock protects away
// from it. So the bucket learns another while for those, which gets shorter half as fast. Where it is not the shortest,
// locks pass in turns: nobody tries at once, not even who is woken, and a thread that waits at a condition, the end of
// a turn, says so in a word of the bucket that contenders look at instead (see ADR 31).
//
// Two threads that answer each other have two stable ways to live on two processors: both awake, a hundred nanoseconds
// a turn, or both asleep, where each turn waits for a wake-up through the kernel. Only a spin that is longer than such
// a wake-up leads from the second to the first. Hence the limit.
//
// Fields are hints shared by all that hash to a bucket: relaxed everywhere, and a lost update costs a spin.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <threading/detail/backend.hpp>
#include <threading/detail/deadline.hpp>

#include "parking/crowd.hpp"

namespace threading::inline v1::parking {

// Nanoseconds. A little more than one wake-up of an idle processor through the kernel (20–45 µs where we measured).
inline constexpr std::int64_t kSpinLimit = 50'000;

class SpinHistory {
 public:
  // Waits until `done()`, or until the policy says that sleeping is better, or the deadline has passed. For a thread
  // that is queued already: nobody overtakes it while it gives way. `ahead`: how many were queued before it.
  // Returns: whether it is done.
  template <class Done>
  bool linger(Done done, Deadline deadline, std::size_t ahead = 0) noexcept {
    if (ahead != 0 && ahead < kShortQueue * static_cast<std::size_t>(detail::backend::cpu_count())) {
      return linger_among_many(done, deadline);
    }
    switch (company_.load(std::memory_order_relaxed)) {  // relaxed: hint
      case Company::same: return linger_beside(done, deadline);
      case Company::many: return linger_among_many(done, deadline);
      case Company::unknown:
      case Company::apart: break;
    }
    return spin_apart(done, deadline);
  }

  // The same for a thread that is not queued, which therefore never gives way to one on its own processor.
  template <class Done>
  bool spin(Done done, Deadline deadline = Deadline::never()) noexcept {
    return may_be_apart(company_.load(std::memory_order_relaxed)) && spin_apart(done, deadline);  // relaxed: hint
  }

  // How a contender came to be one.
  enum Contender : std::uint8_t { arrived, notified };

  // The same for a thread that wants a lock: `is_held()` looks, `take()` takes it if it is free. A spin that has only
  // lost races has not failed: the lock is passed on quickly, and sleeping would not have been better.
  // Returns: whether it was taken. Who has taken it has written nothing here, as a rule: the others would wait for it.
  template <class IsHeld, class Take>
  bool contend(IsHeld is_held, Take take, Deadline deadline, Contender contender = Contender::arrived) noexcept {
    if (!may_be_apart(company_.load(std::memory_order_relaxed))) return false;  // relaxed: hint
    if (detail::backend::cpu_count() < 2 || skips()) return false;
    const bool crowded = crowd_.keeps_from_offering();
    const bool is_marked = failures_.load(std::memory_order_relaxed) != 0 ||  // relaxed: hint
                           beside_.load(std::memory_order_relaxed) != 0;      // relaxed: hint
    const std::int64_t known = first_gap(contender);
    const bool waits_for_turn = in_turns();
    std::uint16_t turn = turns_.load(std::memory_order_relaxed);  // relaxed: hint
    const bool tries = contender == Contender::arrived && known <= kBriefGap && !waits_for_turn;
    if (tries && take_soon(take)) return found_apart(is_marked);
    const std::int64_t start = detail::backend::monotonic_now();
    const std::int64_t limit = std::min(start + kSpinLimit, deadline.nanoseconds());
    const std::int64_t last_pause = crowded ? limit : std::min(start + kContenderPauses, limit);
    bool is_free = false;
    bool was_free = false;
    const auto look = [&]() noexcept {
      is_free = !is_held();
      was_free = was_free || is_free;
      return is_free && take();
    };
    std::int64_t gap = known;
    std::int64_t next_look = start + gap;
    bool is_first = true;
    for (std::int64_t at = start; at < last_pause;) {
      const std::int64_t before = at;
      detail::backend::cpu_relax();
      at = detail::backend::monotonic_now();
      if (waits_for_turn && has_ended(turn)) {
        was_free = true;
        if (take()) return found_apart(is_marked);
        next_look = at + gap;
      }
      if (at < next_look) continue;
      const std::int64_t pause = at - before;
      if (look()) {
        if (is_first) learn_gap(contender, known, known - known / (contender == Contender::notified ? 16 : 8), at);
        return found_apart(is_marked);
      }
      const std::int64_t looked = at;
      at = next_look = detail::backend::monotonic_now();
      if (is_free || at - looked > pause) {  // free, but another was faster; or the look took a line away
        if (is_first) learn_gap(contender, known, 2 * known, at);
        gap = std::min(2 * gap, kLongestGap);
        next_look += gap;
      }
      is_first = false;
    }
    if (!crowded && offer(look, kManyOffers, limit)) {
      found_beside();
      succeeded();
      return true;
    }
    if (!was_free) failed();
    return false;
  }

  // How long the next contender waits before it looks. Nanoseconds.
  std::int64_t first_gap(Contender contender = Contender::arrived) const noexcept {
    const std::uint16_t gap = first_gaps_[contender].load(std::memory_order_relaxed);  // relaxed: hint
    return gap == 0 ? kFirstGap : gap;
  }

  // Whether locks pass in turns here: who was notified looks before its notifier is done, now and then at least.
  bool in_turns() const noexcept {
    // relaxed: hint. 0 while nothing is known.
    return first_gaps_[Contender::notified].load(std::memory_order_relaxed) > kShortestGap;
  }

  // By a thread that has released its lock to wait at a condition.
  void end_turn() noexcept {
    if (!in_turns()) return;
    // relaxed, both: hint. Of two ends at once one may be lost, not both.
    turns_.store(static_cast<std::uint16_t>(turns_.load(std::memory_order_relaxed) + 1), std::memory_order_relaxed);
  }

  // By whoever wakes or moves `count` threads here, the first of which waited on `waiter_cpu` (current_cpu()). It does
  // not do to remember the waker alone: where two threads wake each other through one bucket, the last waker is the one
  // that waits next.
  void note_wake(int waiter_cpu, std::size_t count) noexcept {
    const int cpu = detail::backend::current_cpu();
    if (count > 1 && count >= static_cast<std::size_t>(detail::backend::cpu_count())) {
      keep_company(Company::many);
    } else if (cpu < 0 || waiter_cpu < 0) {
      keep_company(Company::unknown);
    } else {
      keep_company(cpu == waiter_cpu ? Company::same : Company::apart);
    }
  }

  void reset_after_fork() noexcept {
    skip_.store(0, std::memory_order_relaxed);                              // relaxed: one thread is left
    beside_.store(0, std::memory_order_relaxed);                            // relaxed: as above
    failures_.store(0, std::memory_order_relaxed);                          // relaxed: as above
    average_.store(0, std::memory_order_relaxed);                           // relaxed: as above
    for (auto& gap : first_gaps_) gap.store(0, std::memory_order_relaxed);  // relaxed: as above
    turns_.store(0, std::memory_order_relaxed);                             // relaxed: as above
    offering_.store(0, std::memory_order_relaxed);                          // relaxed: as above; they stayed behind
    company_.store(Company::unknown, std::memory_order_relaxed);            // relaxed: as above
    crowd_.reset_after_fork();
  }

 private:
  // Of the last wake-up.
  enum class Company : std::uint8_t { unknown, same, apart, many };

  static constexpr int kPausesPerClockRead = 16;
  static constexpr std::int64_t kFirstPauses = 2'000;  // nanoseconds, while nothing is known
  static constexpr std::int64_t kMostPauses = 10'000;  // nanoseconds
  static constexpr int kOffers = 4;
  static constexpr int kBesides = 8;               // locks had after an offer, in a row; see ADR 4
  static constexpr std::size_t kShortQueue = 4;    // times the processors; see ADR 4
  static constexpr int kManyOffers = 1'000;        // until kSpinLimit, that is
  static constexpr std::uint8_t kMaxFailures = 6;  // 2^6 - 1 = 63 waits skipped
  // Before the first look of a contender, while nothing is known, and between two looks. Nanoseconds: pauses differ
  // tenfold between processors. See ADR 24.
  static constexpr std::int64_t kFirstGap = 200;
  static constexpr std::int64_t kShortestGap = 100;
  static constexpr std::int64_t kLongestGap = 2'000;
  static constexpr std::int64_t kContenderPauses = 2'000;
  // Up to this first gap a contender first tries to take the lock so often: after one pause, two more, three more …
  static constexpr std::int64_t kBriefGap = 500;  // nanoseconds
  static constexpr int kBriefTries = 10;
  static constexpr std::int64_t kLearnOneIn = 8;       // contenders that look
  static constexpr std::int64_t kForgetOneIn = 1'024;  // that arrive and look: forgets what the notified have learnt

  static bool may_be_apart(Company company) noexcept {
    return company == Company::unknown || company == Company::apart;
  }

  void keep_company(Company company) noexcept {
    // relaxed: hint. Read first: threads that spin here would lose the line at every wake-up.
    if (company_.load(std::memory_order_relaxed) != company) company_.store(company, std::memory_order_relaxed);
  }

  // By a contender that got its lock after an offer. The owner may have needed this processor, and then the next one
  // should not spin beside it; or it runs on another, and a section just ended. Several times in a row it is the first.
  void found_beside() noexcept {
    const int times = beside_.load(std::memory_order_relaxed) + 1;                          // relaxed: hint
    beside_.store(static_cast<std::uint8_t>(times % kBesides), std::memory_order_relaxed);  // relaxed: hint
    if (times >= kBesides) keep_company(Company::same);
  }

  // By one that got it while it paused. Returns: true.
  bool found_apart(bool is_marked) noexcept {
    if (!is_marked) return true;
    beside_.store(0, std::memory_order_relaxed);  // relaxed: hint
    succeeded();
    return true;
  }

  // Whether a turn has ended since `turn` was noted; notes it again.
  bool has_ended(std::uint16_t& turn) const noexcept {
    const std::uint16_t now = turns_.load(std::memory_order_relaxed);  // relaxed: hint
    return now != std::exchange(turn, now);
  }

  bool skips() noexcept {
    const std::uint8_t skip = skip_.load(std::memory_order_relaxed);  // relaxed: hint
    if (skip == 0) return false;
    skip_.store(static_cast<std::uint8_t>(skip - 1), std::memory_order_relaxed);  // relaxed: hint
    return true;
  }

  template <class Take>
  static bool take_soon(Take take) noexcept {
    for (int pauses = 1; pauses <= kBriefTries; ++pauses) {
      for (int left = pauses; left != 0; --left) detail::backend::cpu_relax();
      if (take()) return true;
    }
    return false;
  }

  template <class Done>
  bool spin_apart(Done done, Deadline deadline) noexcept {
    if (detail::backend::cpu_count() < 2 || skips()) return false;
    const bool crowded = crowd_.keeps_from_offering();
    if (look_often(done)) {
      succeeded();
      return true;
    }
    const std::int64_t start = detail::backend::monotonic_now();
    const std::int64_t limit = std::min(start + kSpinLimit, deadline.nanoseconds());
    if (pause(done, crowded ? limit : std::min(start + pauses(), limit))) {
      remember(detail::backend::monotonic_now() - start);
      return true;
    }
    if (!crowded && offer(done, kManyOffers, limit)) {
      // Whoever acted could do so when it was offered this processor. If that guess is wrong, the next wait is
      // queued, and its waker knows better.
      keep_company(Company::same);
      succeeded();
      return true;
    }
    failed();
    return false;
  }

  template <class Done>
  bool linger_beside(Done done, Deadline deadline) noexcept {
    if (skips() || crowd_.keeps_from_offering()) return false;
    const bool is_done = offer(done, kOffers, limit_for(deadline));
    is_done ? succeeded() : failed();
    return is_done;
  }

  template <class Done>
  bool linger_among_many(Done done, Deadline deadline) noexcept {
    if (crowd_.keeps_from_offering()) return false;
    const std::int64_t limit = limit_for(deadline);
    if (offer(done, kOffers, limit)) return true;
    if (skips()) return false;
    // relaxed: they only count. One too many now and then does no harm.
    if (offering_.load(std::memory_order_relaxed) >= 2 * detail::backend::cpu_count()) return false;
    offering_.fetch_add(1, std::memory_order_relaxed);  // relaxed: as above
    const bool is_done = offer(done, kManyOffers, limit);
    offering_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: as above
    is_done ? succeeded() : failed();
    return is_done;
  }

  static std::int64_t limit_for(Deadline deadline) noexcept {
    return std::min(detail::backend::monotonic_now() + kSpinLimit, deadline.nanoseconds());
  }

  // A few looks without the clock.
  template <class Done>
  static bool look_often(Done done) noexcept {
    for (int left = kPausesPerClockRead; left != 0; --left) {
      if (done()) return true;
      detail::backend::cpu_relax();
    }
    return false;
  }

  template <class Done>
  static bool pause(Done done, std::int64_t until) noexcept {
    do {
      if (look_often(done)) return true;
    } while (detail::backend::monotonic_now() < until);
    return false;
  }

  template <class Done>
  bool offer(Done done, int times, std::int64_t until) noexcept {
    std::int64_t before = detail::backend::monotonic_now();
    for (; times != 0 && before < until; --times) {
      detail::backend::yield();
      const bool is_done = done();
      const std::int64_t after = detail::backend::monotonic_now();
      crowd_.learn(after - before);
      if (is_done) return true;
      before = after;
    }
    return false;
  }

  // How long to pause: four times what it took on average.
  std::int64_t pauses() const noexcept {
    const std::int64_t average = average_.load(std::memory_order_relaxed);  // relaxed: hint
    return average == 0 ? kFirstPauses : std::min(4 * average + 1'000, kMostPauses);
  }

  // One contender in eight, drawn by the clock: each note takes the line away from all that spin here.
  void learn_gap(Contender contender, std::int64_t known, std::int64_t next, std::int64_t now) noexcept {
    if (contender == Contender::arrived && now % kForgetOneIn == 0 && in_turns()) {
      first_gaps_[Contender::notified].store(0, std::memory_order_relaxed);  // relaxed: hint
    }
    next = std::clamp(next, kShortestGap, kLongestGap);
    if (next == known || now % kLearnOneIn != 0) return;
    first_gaps_[contender].store(static_cast<std::uint16_t>(next), std::memory_order_relaxed);  // relaxed: hint
  }

  void remember(std::int64_t took) noexcept {
    const std::int64_t average = average_.load(std::memory_order_relaxed);  // relaxed: hint
    // A running average over about eight spins; at least 1, since 0 means unknown.
    const std::int64_t next = average == 0 ? took + 1 : average + (took - average) / 8;
    average_.store(static_cast<std::uint32_t>(next < 1 ? 1 : next), std::memory_order_relaxed);  // relaxed: hint
    succeeded();
  }

  void succeeded() noexcept {
    // relaxed: hint. Read first, as above.
    if (failures_.load(std::memory_order_relaxed) != 0) failures_.store(0, std::memory_order_relaxed);
  }

  void failed() noexcept {
    const std::uint8_t seen = failures_.load(std::memory_order_relaxed);  // relaxed: hint
    const auto failures = static_cast<std::uint8_t>(seen < kMaxFailures ? seen + 1 : kMaxFailures);
    failures_.store(failures, std::memory_order_relaxed);                                      // relaxed: hint
    skip_.store(static_cast<std::uint8_t>((1u << failures) - 1u), std::memory_order_relaxed);  // relaxed: hint
  }

  detail::backend::atomic<std::uint32_t> average_{0};       // nanoseconds of pauses that succeeded; 0: unknown
  detail::backend::atomic<std::uint16_t> first_gaps_[2]{};  // nanoseconds before a first look, by Contender; 0: unknown
  detail::backend::atomic<std::uint16_t> turns_{0};         // that have ended, while in_turns()
  detail::backend::atomic<std::int16_t> offering_{0};       // that offer on and on after many were woken at once
  detail::backend::atomic<Company> company_{Company::unknown};
  Crowd crowd_;
  detail::backend::atomic<std::uint8_t> skip_{0};  // waits left that sleep at once
  detail::backend::atomic<std::uint8_t> failures_{0};
  detail::backend::atomic<std::uint8_t> beside_{0};  // locks had after an offer, in a row
};

// The history of the bucket that `key` hashes to: for primitives that spin on their own word before they park.
SpinHistory& spin_history(const void* key) noexcept;

}  // namespace threading::inline v1::parking
