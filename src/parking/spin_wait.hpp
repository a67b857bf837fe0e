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
// A wait that ended in neither way has failed: the next 1, 3, 7 … 63 waits at the bucket sleep at once. Nor is anything
// offered for a while where a third party took what was offered (crowd.hpp): pauses between processors, sleep on the
// same one. Not so for who arrives at a contended lock: who takes its processor is a rival as a rule, or the owner,
// whom the kernel had stopped. It learns nothing from that and goes on offering.
//
// Who wants a lock does not only look but takes it (contend()). The first look comes after a while that the bucket
// learns (first_look.hpp), and the next ones ever later. But as long as nobody has touched the word since the last
// look, it is in the looker's own cache, and looking costs nobody anything: a look that was answered in no time is
// repeated at once. That finds the end of a long section as soon as there is one. Where that while is short, a
// contender first tries to take the lock a few times in quick succession: it is often free again before a clock could
// be read twice. It does so without looking, which would fetch the line once more (see ADR 30).
//
// Who was notified contends with a notifier that goes on: it looks later, and where it would come in between, locks
// pass in turns (first_look.hpp).
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

#include <threading/detail/backend.hpp>
#include <threading/detail/deadline.hpp>

#include "parking/first_look.hpp"
#include "parking/rounds.hpp"
#include "platform/crowd.hpp"

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
    if (ahead != 0 && ahead < kShortQueue * static_cast<std::size_t>(offered_processors())) {
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

  using Contender = FirstLook::Contender;

  // The same for a thread that wants a lock: `is_held()` looks, `take()` takes it if it is free. A spin that has only
  // lost races has not failed: the lock is passed on quickly, and sleeping would not have been better.
  // Returns: whether it was taken. Who has taken it has written nothing here, as a rule: the others would wait for it.
  template <class IsHeld, class Take>
  bool contend(IsHeld is_held, Take take, Deadline deadline, Contender contender = Contender::arrived) noexcept {
    if (!may_be_apart(company_.load(std::memory_order_relaxed))) return false;  // relaxed: hint
    if (detail::backend::cpu_count() < 2 || skips()) return false;
    const bool crowded = contender == Contender::notified && crowd_.keeps_from_offering();
    const bool is_marked = failures_.load(std::memory_order_relaxed) != 0 ||  // relaxed: hint
                           beside_.load(std::memory_order_relaxed) != 0;      // relaxed: hint
    if (contender == Contender::arrived) note_rounds();
    const std::int64_t known = first_gap(contender);
    const bool waits_for_turn = in_turns();
    std::uint16_t turn = first_look_.turn();
    const bool tries = contender == Contender::arrived && passes_locks_on_soon() && !waits_for_turn;
    // The clock first: who has just found the lock held does well not to ask for its line again in the same moment.
    const std::int64_t start = detail::backend::monotonic_now();
    if (tries && take_soon(take)) return found_apart(is_marked);
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
      if (waits_for_turn && first_look_.has_ended(turn)) {
        was_free = true;
        if (take()) return found_apart(is_marked);
        next_look = at + gap;
      }
      if (at < next_look) continue;
      const std::int64_t pause = at - before;
      if (look()) {
        if (is_first) first_look_.took(contender, known, at);
        return found_apart(is_marked);
      }
      const std::int64_t looked = at;
      at = next_look = detail::backend::monotonic_now();
      if (is_free || at - looked > pause) {  // free, but another was faster; or the look took a line away
        if (is_first) first_look_.disturbed(contender, known, at);
        gap = std::min(2 * gap, FirstLook::kLongestGap);
        next_look += gap;
      }
      is_first = false;
    }
    if (!crowded && offer_to_rivals(look, contender, limit, deadline)) {
      found_beside();
      succeeded();
      return true;
    }
    if (!was_free) failed();
    return false;
  }

  // As in FirstLook.
  std::int64_t first_gap(Contender contender = Contender::arrived) const noexcept { return first_look_.gap(contender); }
  bool passes_locks_on_soon() const noexcept { return first_look_.is_brief(); }
  bool in_turns() const noexcept { return first_look_.in_turns(); }
  void end_turn() noexcept { first_look_.end_turn(); }

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
    skip_.store(0, std::memory_order_relaxed);                    // relaxed: one thread is left
    beside_.store(0, std::memory_order_relaxed);                  // relaxed: as above
    failures_.store(0, std::memory_order_relaxed);                // relaxed: as above
    average_.store(0, std::memory_order_relaxed);                 // relaxed: as above
    offering_.store(0, std::memory_order_relaxed);                // relaxed: as above; they stayed behind
    company_.store(Company::unknown, std::memory_order_relaxed);  // relaxed: as above
    first_look_.reset_after_fork();
    crowd_.reset_after_fork();
  }

 private:
  // Of the last wake-up.
  enum class Company : std::uint8_t { unknown, same, apart, many };

  static constexpr int kPausesPerClockRead = 16;
  static constexpr std::int64_t kFirstPauses = 2'000;  // nanoseconds, while nothing is known
  static constexpr std::int64_t kMostPauses = 10'000;  // nanoseconds
  static constexpr int kOffers = 4;
  static constexpr int kBesides = 8;                       // locks had after an offer, in a row; see ADR 4
  static constexpr std::size_t kShortQueue = 4;            // times the processors; see ADR 4
  static constexpr int kManyOffers = 1'000;                // until kSpinLimit, that is
  static constexpr std::uint8_t kMaxFailures = 6;          // 2^6 - 1 = 63 waits skipped
  static constexpr std::int64_t kContenderPauses = 2'000;  // nanoseconds
  // How often a contender goes on to try for a lock without a look: after one pause, two more, three more … See ADR 30.
  static constexpr int kBriefTries = 10;
  static constexpr std::int64_t kTurn = 3'000;  // nanoseconds: an offer that nobody takes is over in a tenth of it
  // Each of them may last for a slice of the scheduler, all without a place in the queue. See ADR 32.
  static constexpr int kTimesToGoOn = 2;

  static bool may_be_apart(Company company) noexcept {
    return company == Company::unknown || company == Company::apart;
  }

  // How many processors to count on where waiters offer theirs. A single one is as good as two: whoever gets it, the
  // others are ready before the last has gone to sleep.
  static int offered_processors() noexcept { return std::max(detail::backend::cpu_count(), 2); }

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

  static std::int64_t now() noexcept { return detail::backend::monotonic_now(); }

  // By one that has come to contend.
  void note_rounds() noexcept {
    const std::int64_t took = end_rounds(detail::backend::per_thread().rounds, this, &now);
    if (took != 0) first_look_.note_round(took);
  }

  // By one that got it while it paused. Returns: true.
  bool found_apart(bool is_marked) noexcept {
    begin_rounds(detail::backend::per_thread().rounds, this, &now);
    if (!is_marked) return true;
    beside_.store(0, std::memory_order_relaxed);  // relaxed: hint
    succeeded();
    return true;
  }

  bool skips() noexcept {
    const std::uint8_t skip = skip_.load(std::memory_order_relaxed);  // relaxed: hint
    if (skip == 0) return false;
    skip_.store(static_cast<std::uint8_t>(skip - 1), std::memory_order_relaxed);  // relaxed: hint
    return true;
  }

  template <class Take>
  static bool take_soon(Take take) noexcept {
    for (int pauses = 0; pauses <= kBriefTries; ++pauses) {
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
    if (offering_.load(std::memory_order_relaxed) >= 2 * offered_processors()) return false;
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
      crowd_.note_offer(after - before);
      if (is_done) return true;
      before = after;
    }
    return false;
  }

  // Others have run while an offer took longer than kTurn, and this thread has not spun: so it goes on, a few times.
  // One that was notified does not, but learns of crowds.
  template <class Done>
  bool offer_to_rivals(Done done, Contender contender, std::int64_t until, Deadline deadline) noexcept {
    int times_left = contender == Contender::arrived ? kTimesToGoOn : 0;
    for (std::int64_t before = detail::backend::monotonic_now(); before < until;) {
      detail::backend::yield();
      const bool is_done = done();
      const std::int64_t after = detail::backend::monotonic_now();
      if (contender == Contender::notified) crowd_.note_offer(after - before);
      if (is_done) return true;
      if (after - before > kTurn && times_left != 0) {
        --times_left;
        until = std::min(after + kSpinLimit, deadline.nanoseconds());
      }
      before = after;
    }
    return false;
  }

  // How long to pause: four times what it took on average.
  std::int64_t pauses() const noexcept {
    const std::int64_t average = average_.load(std::memory_order_relaxed);  // relaxed: hint
    return average == 0 ? kFirstPauses : std::min(4 * average + 1'000, kMostPauses);
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

  detail::backend::atomic<std::uint32_t> average_{0};  // nanoseconds of pauses that succeeded; 0: unknown
  FirstLook first_look_;
  detail::backend::atomic<std::int16_t> offering_{0};  // that offer on and on after many were woken at once
  detail::backend::atomic<Company> company_{Company::unknown};
  detail::backend::atomic<std::uint8_t> beside_{0};  // locks had after an offer, in a row
  platform::Crowd crowd_;
  detail::backend::atomic<std::uint8_t> skip_{0};  // waits left that sleep at once
  detail::backend::atomic<std::uint8_t> failures_{0};
};

// The history of the bucket that `key` hashes to: for primitives that spin on their own word before they park.
SpinHistory& spin_history(const void* key) noexcept;

}  // namespace threading::inline v1::parking
