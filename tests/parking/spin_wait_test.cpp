// SPDX-License-Identifier: MIT
//
// The backoff policy: a spin ends when it succeeds or when it has cost as much as sleeping would.
#include "parking/spin_wait.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace {

using threading::Deadline;
using threading::detail::backend::cpu_count;
using threading::parking::SpinHistory;

bool never() noexcept { return false; }

using Contender = SpinHistory::Contender;
enum class Found : std::uint8_t { held, lost, taken };

// Contends for a lock that `look()` tells of, and that is held whenever it is tried for without a look.
template <class Look>
bool contend(SpinHistory& history, Look look, Contender contender = Contender::arrived) {
  Found found = Found::held;
  const auto is_held = [&]() noexcept { return (found = look()) == Found::held; };
  const auto take = [&]() noexcept { return std::exchange(found, Found::held) == Found::taken; };
  return history.contend(is_held, take, Deadline::never(), contender);
}

// One contender in eight learns, drawn by the clock: so let many try.
template <class Look, class IsEnough>
void contend_until(SpinHistory& history, Look look, IsEnough is_enough, Contender contender = Contender::arrived) {
  for (int i = 0; i < 100'000 && !is_enough(); ++i) {
    static_cast<void>(contend(history, look, contender));
    history.note_wake(-1, 1);  // where pauses are so slow that it got the lock by an offer, it would spin no more
  }
}

// Of those that wait for a thread on another processor.
class SpinHistoryApart : public testing::Test {
 protected:
  void SetUp() override {
    if (cpu_count() < 2) GTEST_SKIP() << "nothing spins on one processor";
  }
};

TEST(SpinHistory, GivesUp) {
  SpinHistory history;
  for (int i = 0; i < 200; ++i) ASSERT_FALSE(history.spin(never));
}

TEST_F(SpinHistoryApart, SucceedsAtOnceWhenItIsDoneAlready) {
  SpinHistory history;
  EXPECT_TRUE(history.spin([]() noexcept { return true; }));
}

TEST_F(SpinHistoryApart, SucceedsWhenItIsDoneAfterAWhile) {
  SpinHistory history;
  int looks = 0;
  EXPECT_TRUE(history.spin([&]() noexcept { return ++looks == 5; }));
  EXPECT_EQ(looks, 5);
}

// After a failure the next waits do not spin at all: 1, then 3, then 7 … never more than 63.
TEST_F(SpinHistoryApart, SkipsMoreAndMoreWaitsAfterFailures) {
  SpinHistory history;
  int looks = 0;
  const auto counting = [&]() noexcept { return ++looks < 0; };
  for (const int skipped : {1, 3, 7, 15, 31, 63, 63}) {
    looks = 0;
    ASSERT_FALSE(history.spin(counting));
    ASSERT_GT(looks, 0);
    looks = 0;
    for (int i = 0; i < skipped; ++i) ASSERT_FALSE(history.spin(counting));
    ASSERT_EQ(looks, 0) << "spun although it had failed";
  }
}

// Who finds a lock free and loses the race for it, again and again, has not failed: sleeping would not be better.
TEST_F(SpinHistoryApart, LosingRacesIsNoFailure) {
  SpinHistory history;
  int looks = 0;
  const auto losing = [&]() noexcept { return ++looks, Found::lost; };
  for (int i = 0; i < 5; ++i) {
    looks = 0;
    ASSERT_FALSE(contend(history, losing));
    ASSERT_GT(looks, 0) << "did not look although nothing had failed";
  }
}

TEST_F(SpinHistoryApart, ContendingSkipsAfterALockThatStayedHeld) {
  SpinHistory history;
  int looks = 0;
  const auto held = [&]() noexcept { return ++looks, Found::held; };
  ASSERT_FALSE(contend(history, held));
  ASSERT_GT(looks, 0);
  looks = 0;
  ASSERT_FALSE(contend(history, held));
  ASSERT_EQ(looks, 0) << "spun although it had failed";
  EXPECT_TRUE(contend(history, []() noexcept { return Found::taken; }));
}

TEST_F(SpinHistoryApart, ContendingTakesALockThatIsFreed) {
  int looks = 0;
  const auto freed = [&]() noexcept { return ++looks == 5 ? Found::taken : looks == 4 ? Found::lost : Found::held; };
  // A spin may end before its fifth look when the processor is taken away meanwhile; not every time.
  for (int i = 0; i < 1000; ++i) {
    SpinHistory history;
    looks = 0;
    if (contend(history, freed)) break;
  }
  EXPECT_EQ(looks, 5);
}

void spend(std::int64_t nanoseconds) noexcept {
  using threading::detail::backend::monotonic_now;
  const std::int64_t end = monotonic_now() + nanoseconds;
  while (monotonic_now() < end) continue;
}
constexpr std::int64_t kPastPauses = 5'000;  // nanoseconds

// Contends for a lock that is held until all pauses are over. Returns: whether it was had, which takes an offer. The
// bucket learns nothing from the first look, which is over at once; the second outlasts the pauses.
bool contend_until_an_offer(SpinHistory& history) {
  int looks = 0;
  const auto held_at_first = [&]() noexcept {
    if (++looks == 1) return Found::held;
    if (looks > 2) return Found::taken;
    spend(kPastPauses);
    return Found::held;
  };
  return contend(history, held_at_first);
}

// Gets so many locks by giving the processor away. A contender that loses its processor before it could offer it fails,
// and some of the next sleep at once: neither has had a lock.
void get_by_offers(SpinHistory& history, int times) {
  int had = 0;
  for (int left = 100'000; left != 0 && had != times; --left) had += contend_until_an_offer(history) ? 1 : 0;
  ASSERT_EQ(had, times) << "this machine is too slow for an offer";
}

bool contends(SpinHistory& history) {
  return contend(history, []() noexcept { return Found::taken; });
}

// A contender that got its lock by giving its processor away may have waited for an owner on the same one, or for a
// section that ended on another. Only several in a row mean the first.
TEST_F(SpinHistoryApart, ContendersSleepAtOnceAfterEightOffersInARow) {
  SpinHistory history;
  ASSERT_NO_FATAL_FAILURE(get_by_offers(history, 7));
  EXPECT_TRUE(contends(history)) << "it may have been chance";
  ASSERT_NO_FATAL_FAILURE(get_by_offers(history, 7));
  EXPECT_TRUE(contends(history)) << "counted on after a lock that was had by a pause";
  ASSERT_NO_FATAL_FAILURE(get_by_offers(history, 8));
  EXPECT_FALSE(contends(history)) << "paused beside an owner that needs this processor";
}

// So often that the next 63 waits do not spin; without an offer, which might come back late.
void fail_six_times(SpinHistory& history) {
  for (int left = 6; left != 0; --left) {
    int looks = 0;
    while (looks == 0) ASSERT_FALSE(history.spin([&]() noexcept { return ++looks < 0; }, Deadline::passed()));
  }
}

// How often a waiter looks that queued behind so many.
int looks_behind(SpinHistory& history, std::size_t ahead) {
  int looks = 0;
  EXPECT_FALSE(history.linger([&]() noexcept { return ++looks < 0; }, Deadline::never(), ahead));
  return looks;
}

// Whether one of twenty does. The first would, unless it lost its processor before it could.
bool looks_at_last(SpinHistory& history, std::size_t ahead) {
  for (int left = 20; left != 0; --left) {
    if (looks_behind(history, ahead) != 0) return true;
  }
  return false;
}

// Beside a crowd that was let go together, giving way pays however the last wait ended.
TEST_F(SpinHistoryApart, AmongManyAWaitThatFailedIsFollowedByOneThatLooks) {
  SpinHistory history;
  ASSERT_NO_FATAL_FAILURE(fail_six_times(history));
  EXPECT_EQ(looks_behind(history, 0), 0) << "spun although it had failed";
  history.note_wake(0, static_cast<std::size_t>(cpu_count()) + 1);
  EXPECT_TRUE(looks_at_last(history, 0));
}

// So it is for one that queued behind a few others: they will be let go first, and may want its processor. Behind many
// it waits as if it were alone: its turn is far off.
TEST_F(SpinHistoryApart, BehindAFewAWaitThatFailedIsFollowedByOneThatLooks) {
  SpinHistory history;
  ASSERT_NO_FATAL_FAILURE(fail_six_times(history));
  EXPECT_EQ(looks_behind(history, 0), 0) << "spun although it had failed";
  EXPECT_EQ(looks_behind(history, 100'000), 0) << "spun although it had failed";
  EXPECT_TRUE(looks_at_last(history, 1));
}

// Takes a lock by a try without a look, and not by a look, which would hide what the try forgot.
void get_at_once(SpinHistory& history) {
  int looks = 0;
  const auto is_held = [&]() noexcept { return ++looks != 0; };
  ASSERT_TRUE(history.contend(
      is_held, []() noexcept { return true; }, Deadline::never()));
  ASSERT_EQ(looks, 0);
}

// A lock that was had by a try without a look was not had by an offer, and is no failure either.
TEST_F(SpinHistoryApart, ATryThatTakesTheLockEndsARowOfOffersAndOfFailures) {
  SpinHistory history;
  // Looks that take long, as they do under a sanitizer, teach the bucket not to try: then once more.
  const std::int64_t unknown = history.first_gap();
  for (int left = 100; left != 0; --left) {
    ASSERT_NO_FATAL_FAILURE(get_by_offers(history, 7));
    if (history.first_gap() == unknown) break;
    history.reset_after_fork();
  }
  ASSERT_NO_FATAL_FAILURE(get_at_once(history));
  ASSERT_NO_FATAL_FAILURE(get_by_offers(history, 7));
  EXPECT_TRUE(contends(history)) << "counted on after a lock that was had at once";

  history.reset_after_fork();
  ASSERT_NO_FATAL_FAILURE(fail_six_times(history));
  for (int left = 63; left != 0; --left) ASSERT_FALSE(contends(history));
  ASSERT_NO_FATAL_FAILURE(get_at_once(history));
  ASSERT_FALSE(history.spin(never, Deadline::passed()));
  EXPECT_FALSE(contends(history));
  EXPECT_TRUE(contends(history)) << "skipped as if the last wait had failed";
}

// Who takes the processor from one that arrives at a lock is a rival or the owner, not somebody who computes.
TEST_F(SpinHistoryApart, WhoArrivesOffersBesideACrowdAndFindsNone) {
  SpinHistory history;
  int looks = 0;
  const auto late = [&]() noexcept { return spend(1'000'000), ++looks == 0; };
  for (int left = 100; left != 0 && looks == 0; --left) {
    EXPECT_FALSE(history.linger(late, Deadline::never(), 1));
  }
  ASSERT_NE(looks, 0) << "this machine is too slow for an offer";
  EXPECT_EQ(looks_behind(history, 1), 0) << "offered beside a crowd";
  ASSERT_NO_FATAL_FAILURE(get_by_offers(history, 1));

  history.reset_after_fork();
  const auto held_and_late = [&]() noexcept {
    spend(++looks == 1 ? kPastPauses : 1'000'000);
    return Found::held;
  };
  for (int left = 100'000; left != 0 && looks < 2; --left) {
    looks = 0;
    EXPECT_FALSE(contend(history, held_and_late));
  }
  EXPECT_GE(looks, 2) << "this machine is too slow for an offer";
  EXPECT_GT(looks_behind(history, 1), 0);
}

// A contender that was off its processor has not spun meanwhile: it goes on, twice.
TEST_F(SpinHistoryApart, AContenderThatWasAwayGoesOnTwice) {
  int most = 0;
  for (int left = 100'000; left != 0 && most < 4; --left) {
    SpinHistory history;
    int looks = 0;
    const auto held_and_late = [&]() noexcept {
      spend(++looks == 1 ? kPastPauses : 200'000);
      return Found::held;
    };
    EXPECT_FALSE(contend(history, held_and_late));
    ASSERT_LE(looks, 4);
    most = std::max(most, looks);
  }
  EXPECT_EQ(most, 4);
}

// How often a contender tries to take a lock before it looks at it for the first time.
int tries_before_a_look(SpinHistory& history, Contender contender = Contender::arrived) {
  int tries = 0;
  bool looked = false;
  const auto is_held = [&]() noexcept { return looked = true, false; };
  const auto take = [&]() noexcept { return tries += looked ? 0 : 1, looked; };
  static_cast<void>(history.contend(is_held, take, Deadline::never(), contender));
  return tries;
}

TEST_F(SpinHistoryApart, ContendersTryBeforeTheyLookUnlessTheBucketHasLearntToWait) {
  SpinHistory history;
  EXPECT_GT(tries_before_a_look(history), 0);
  EXPECT_EQ(tries_before_a_look(history, Contender::notified), 0);

  int looks = 0;
  const auto losing_at_first = [&]() noexcept { return ++looks % 2 == 1 ? Found::lost : Found::taken; };
  contend_until(history, losing_at_first, [&] { return history.first_gap() >= 1'000; });
  ASSERT_GE(history.first_gap(), 1'000);
  EXPECT_EQ(tries_before_a_look(history), 0);
}

TEST_F(SpinHistoryApart, ATryThatTakesTheLockEndsTheSpin) {
  SpinHistory history;
  int tries = 0;
  EXPECT_TRUE(
      history.contend([]() noexcept { return true; }, [&]() noexcept { return ++tries == 3; }, Deadline::never()));
  EXPECT_EQ(tries, 3);
}

TEST_F(SpinHistoryApart, ContendersLearnWhenToLook) {
  SpinHistory history;
  const std::int64_t unknown = history.first_gap();
  const auto taking = []() noexcept { return Found::taken; };
  contend_until(history, taking, [&] { return history.first_gap() < unknown / 2 + 1; });
  const std::int64_t shortest = history.first_gap();
  EXPECT_LE(shortest, unknown / 2) << "a lock that was free at the first look could have been had sooner";

  int looks = 0;
  const auto losing_at_first = [&]() noexcept { return ++looks % 2 == 1 ? Found::lost : Found::taken; };
  contend_until(history, losing_at_first, [&] { return history.first_gap() > unknown; });
  EXPECT_GT(history.first_gap(), unknown) << "a lock that was passed on before the first look was disturbed by it";

  history.reset_after_fork();
  EXPECT_EQ(history.first_gap(), unknown);
}

// Its notifier keeps the lock longer than others do: what the one kind of contenders learns is not for the other.
TEST_F(SpinHistoryApart, WhoWasNotifiedLearnsForItself) {
  SpinHistory history;
  const std::int64_t unknown = history.first_gap(Contender::arrived);
  EXPECT_EQ(history.first_gap(Contender::notified), unknown);
  int looks = 0;
  const auto losing_at_first = [&]() noexcept { return ++looks % 2 == 1 ? Found::lost : Found::taken; };
  contend_until(
      history, losing_at_first, [&] { return history.first_gap(Contender::notified) > unknown; }, Contender::notified);
  EXPECT_GT(history.first_gap(Contender::notified), unknown);
  EXPECT_EQ(history.first_gap(Contender::arrived), unknown);

  // One contender in a thousand that arrived forgets it; most have learnt before.
  const auto taking = []() noexcept { return Found::taken; };
  std::int64_t longer = 0;
  for (int left = 100; left != 0 && history.first_gap(Contender::notified) != longer; --left) {
    history.reset_after_fork();
    contend_until(
        history, losing_at_first, [&] { return history.in_turns(); }, Contender::notified);
    longer = history.first_gap(Contender::notified);
    contend_until(history, taking, [&] { return history.first_gap(Contender::arrived) < unknown; });
    EXPECT_LT(history.first_gap(Contender::arrived), unknown);
  }
  EXPECT_EQ(history.first_gap(Contender::notified), longer);

  history.reset_after_fork();
  EXPECT_EQ(history.first_gap(Contender::notified), unknown);
}

// Lets a bucket learn that who was notified looks too soon.
void learn_turns(SpinHistory& history) {
  int looks = 0;
  const auto losing_at_first = [&]() noexcept { return ++looks % 2 == 1 ? Found::lost : Found::taken; };
  contend_until(
      history, losing_at_first, [&] { return history.in_turns(); }, Contender::notified);
  ASSERT_TRUE(history.in_turns());
}

TEST_F(SpinHistoryApart, NobodyTriesAtOnceWhereLocksPassInTurns) {
  SpinHistory history;
  ASSERT_FALSE(history.in_turns());
  ASSERT_NO_FATAL_FAILURE(learn_turns(history));
  EXPECT_EQ(tries_before_a_look(history), 0);
  history.reset_after_fork();
  EXPECT_FALSE(history.in_turns());
}

// A lock that is had whenever somebody looks, who was notified or who comes by, is not passed on in turns.
TEST_F(SpinHistoryApart, ThatLocksPassInTurnsIsForgotten) {
  const auto taking = []() noexcept { return Found::taken; };
  for (const Contender contender : {Contender::arrived, Contender::notified}) {
    SpinHistory history;
    ASSERT_NO_FATAL_FAILURE(learn_turns(history));
    contend_until(
        history, taking, [&] { return !history.in_turns(); }, contender);
    EXPECT_FALSE(history.in_turns());
  }
}

// What became of a contender for a lock that was held whenever it looked, and whose owner ended its turn then.
struct Told {
  int looks = 0;
  int tries = 0;
  bool had = false;
};

template <class Take>
Told contend_while_turns_end(SpinHistory& history, Take take) {
  Told told;
  const auto is_held = [&]() noexcept {
    ++told.looks;
    history.end_turn();
    return true;
  };
  told.had = history.contend(
      is_held, [&]() noexcept { return ++told.tries, take(); }, Deadline::never());
  return told;
}

// Who contends is told when a turn has ended: it tries then, however long it would be before the next look. One that
// loses its processor in between may not notice before its time is up.
TEST_F(SpinHistoryApart, TheEndOfATurnEndsTheWaitForTheNextLook) {
  SpinHistory history;
  ASSERT_NO_FATAL_FAILURE(learn_turns(history));
  Told told;
  for (int left = 1'000; left != 0 && !told.had; --left) {
    told = contend_while_turns_end(history, []() noexcept { return true; });
  }
  EXPECT_TRUE(told.had);
  EXPECT_EQ(told.tries, 1);
  EXPECT_EQ(told.looks, 1) << "looked again instead of trying";
}

// A try that was told of and lost is no failure: the lock was free. After a failure the next contender would not look,
// so one that does, right after such a try, is enough; some lose their processor before they can.
TEST_F(SpinHistoryApart, TheEndOfATurnThatAnotherWasFasterAtIsNoFailure) {
  SpinHistory history;
  ASSERT_NO_FATAL_FAILURE(learn_turns(history));
  Told before;
  bool has_looked = false;
  for (int left = 1'000; left != 0 && !has_looked; --left) {
    const Told told = contend_while_turns_end(history, never);
    ASSERT_FALSE(told.had);
    has_looked = before.tries != 0 && told.looks != 0;
    before = told;
  }
  EXPECT_TRUE(has_looked) << "nobody looked after a race that was lost";
}

TEST_F(SpinHistoryApart, SpinsAgainAfterTheResetForAForkedChild) {
  SpinHistory history;
  for (int i = 0; i < 5; ++i) static_cast<void>(history.spin(never));
  history.reset_after_fork();
  EXPECT_TRUE(history.spin([]() noexcept { return true; }));
}

}  // namespace
