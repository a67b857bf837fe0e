// SPDX-License-Identifier: MIT
//
// When a contender for a lock looks whether it is free for the first time, and what may come before that.
//
// Each look takes the lock's line away from those that pass the lock among themselves. So a bucket learns how long to
// wait before the first: longer after a look that came in between, shorter after one that took the lock. That has two
// stable ends, at once and as late as can be, and which of them is right depends on what threads do between two locks:
// so contenders measure that as well (rounds.hpp).
//
// Who was notified contends with its notifier, which was awake before it and takes the lock again and again until there
// is nothing left to do: one that fills a queue, say. To come in between takes all lines of what the lock protects away
// from it. So the bucket learns another while for those, which gets shorter half as fast. Where it is not the shortest,
// locks pass in turns: nobody tries at once, not even who is woken, and a thread that waits at a condition, the end of
// a turn, says so in a word of the bucket that contenders look at instead (see ADR 31).
//
// Fields are hints shared by all that hash to a bucket: relaxed everywhere, and a lost update costs a look.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include <threading/detail/backend.hpp>

#include "parking/draw.hpp"

namespace threading::inline v1::parking {

class FirstLook {
 public:
  // How a contender came to be one.
  enum Contender : std::uint8_t { arrived, notified };

  // Nanoseconds. Between two looks at most; see ADR 24.
  static constexpr std::int64_t kLongestGap = 2'000;

  // How long the next contender waits before it looks. Nanoseconds.
  std::int64_t gap(Contender contender) const noexcept {
    const std::uint16_t learnt = gaps_[contender].load(std::memory_order_relaxed);  // relaxed: hint
    return learnt == 0 ? kFirstGap : learnt;
  }

  // Whether contenders have learnt that a lock is soon free again, and that others do not take it again at once.
  bool is_brief() const noexcept { return gap(Contender::arrived) <= kBriefGap; }

  // Whether locks pass in turns: who was notified looks before its notifier is done, now and then at least.
  bool in_turns() const noexcept {
    // relaxed: hint. 0 while nothing is known.
    return gaps_[Contender::notified].load(std::memory_order_relaxed) > kShortestGap;
  }

  // By a thread that has released its lock to wait at a condition.
  void end_turn() noexcept {
    if (in_turns()) turns_.store(static_cast<std::uint16_t>(turn() + 1), std::memory_order_relaxed);  // relaxed: hint
  }

  // A number that changes when a turn ends, though of two ends at once one may be lost.
  std::uint16_t turn() const noexcept { return turns_.load(std::memory_order_relaxed); }  // relaxed: hint

  // Whether a turn has ended since `turn` was noted; notes it again.
  bool has_ended(std::uint16_t& turn) const noexcept {
    const std::uint16_t now = this->turn();
    return now != std::exchange(turn, now);
  }

  // The first look, which came after `known`, took the lock. One contender in eight learns from its first look, drawn
  // by the clock: each note takes the line away from all that spin here.
  void took(Contender contender, std::int64_t known, std::int64_t now) noexcept {
    learn(contender, known, known - known / (contender == Contender::notified ? 16 : 8), now);
  }
  // It came in between.
  void disturbed(Contender contender, std::int64_t known, std::int64_t now) noexcept {
    learn(contender, known, 2 * known, now);
  }

  // By one that arrived, and knows what its rounds take (rounds.hpp): whether contenders should try at once.
  void note_round(std::int64_t took) noexcept {
    const bool is_worth_trying = took >= kBriefRound;
    if (is_worth_trying == is_brief()) return;
    // relaxed: hint
    gaps_[Contender::arrived].store(is_worth_trying ? kFirstGap : 2 * kBriefGap, std::memory_order_relaxed);
  }

  void reset_after_fork() noexcept {
    for (auto& gap : gaps_) gap.store(0, std::memory_order_relaxed);  // relaxed: one thread is left
    turns_.store(0, std::memory_order_relaxed);                       // relaxed: as above
  }

 private:
  // Nanoseconds: pauses differ tenfold between processors. See ADR 24.
  static constexpr std::int64_t kFirstGap = 200;  // while nothing is known
  static constexpr std::int64_t kShortestGap = 100;
  static constexpr std::int64_t kBriefGap = 500;  // see ADR 30
  static constexpr std::uint32_t kLearnOneIn = 8;
  // Of those that arrive and look, so seldom one forgets what the notified have learnt: they look rarely where locks do
  // pass in turns, and learn it again within some ten notifications.
  static constexpr std::uint32_t kForgetOneIn = 1'024;
  // Of a round, from one lock to the next: what a line of memory takes from one processor to another, about. See
  // ADR 36.
  static constexpr std::int64_t kBriefRound = 100;

  void learn(Contender contender, std::int64_t known, std::int64_t next, std::int64_t now) noexcept {
    if (contender == Contender::arrived && drawn_one_in(kForgetOneIn, now) && in_turns()) {
      gaps_[Contender::notified].store(0, std::memory_order_relaxed);  // relaxed: hint
    }
    next = std::clamp(next, kShortestGap, kLongestGap);
    if (next == known || !drawn_one_in(kLearnOneIn, now)) return;
    gaps_[contender].store(static_cast<std::uint16_t>(next), std::memory_order_relaxed);  // relaxed: hint
  }

  detail::backend::atomic<std::uint16_t> gaps_[2]{};  // by Contender; 0: unknown
  detail::backend::atomic<std::uint16_t> turns_{0};   // that have ended, while in_turns()
};

}  // namespace threading::inline v1::parking
