// SPDX-License-Identifier: MIT
//
// The parts of threadsum that have a contract of their own.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <climits>
#include <string>
#include <system_error>
#include <vector>

#include "bounded_queue.hpp"
#include "line.hpp"
#include "line_writer.hpp"
#include "progress_bar.hpp"
#include "sequencer.hpp"
#include "support/support.hpp"

namespace {

using namespace support;
using namespace threadsum;

Outcome named(std::size_t index) { return {std::to_string(index), "hex", {}}; }

TEST(BoundedQueue, GivesOutWhatWasPutInOrder) {
  BoundedQueue<int> queue(3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(queue.put(i));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(queue.take(), i);
}

TEST(BoundedQueue, HoldsBackAPutUntilThereIsRoom) {
  BoundedQueue<int> queue(1);
  queue.put(1);
  Bunch putter(1, [&] { queue.put(2); });
  ASSERT_TRUE(eventually([&] { return putter.started() == 1; }));
  EXPECT_FALSE(eventually([&] { return putter.finished() == 1; }, kShortDelay));
  EXPECT_EQ(queue.take(), 1);
  EXPECT_EQ(queue.take(), 2);
}

TEST(BoundedQueue, IsEmptiedAfterItWasClosed) {
  BoundedQueue<int> queue(2);
  queue.put(1);
  queue.close();
  EXPECT_FALSE(queue.put(2));
  EXPECT_EQ(queue.take(), 1);
  EXPECT_EQ(queue.take(), std::nullopt);
}

TEST(BoundedQueue, LetsEveryWaiterGoWhenItIsAbandoned) {
  BoundedQueue<int> full(1);
  BoundedQueue<int> empty(1);
  full.put(1);
  Bunch putters(3, [&] { EXPECT_FALSE(full.put(2)); });
  Bunch takers(3, [&] { EXPECT_EQ(empty.take(), std::nullopt); });
  full.abandon();
  empty.abandon();
  putters.join();
  takers.join();
  EXPECT_EQ(full.take(), std::nullopt);
}

TEST(BoundedQueue, HandsEachItemToExactlyOneOfManyTakers) {
  constexpr int kItems = 20000;
  BoundedQueue<int> queue(7);
  std::vector<std::atomic<int>> taken(kItems);
  std::atomic<int> next = 0;
  Bunch takers(4, [&] {
    while (const auto item = queue.take()) ++taken[static_cast<std::size_t>(*item)];
  });
  Bunch putters(4, [&] {
    for (int item = next++; item < kItems; item = next++) ASSERT_TRUE(queue.put(item));
  });
  putters.join();
  queue.close();
  takers.join();
  EXPECT_TRUE(std::all_of(taken.begin(), taken.end(), [](const auto& count) { return count == 1; }));
}

TEST(Sequencer, PutsOutcomesBackIntoOrder) {
  Sequencer sequencer(8);
  for (const std::size_t index : {3U, 1U, 2U, 0U}) sequencer.deliver(index, named(index));
  const std::vector<Outcome> taken = sequencer.take();
  ASSERT_EQ(taken.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(taken[i].path, std::to_string(i));
}

TEST(Sequencer, GivesOutNothingBehindAGap) {
  Sequencer sequencer(8);
  sequencer.deliver(0, named(0));
  sequencer.deliver(2, named(2));
  EXPECT_EQ(sequencer.take().size(), 1U);
  EXPECT_FALSE(sequencer.drained());
}

TEST(Sequencer, HoldsBackADeliveryThatIsTooFarAhead) {
  Sequencer sequencer(2);
  sequencer.deliver(1, named(1));
  Bunch eager(1, [&] { sequencer.deliver(2, named(2)); });
  EXPECT_FALSE(eventually([&] { return eager.finished() == 1; }, kShortDelay));
  sequencer.deliver(0, named(0));
  EXPECT_EQ(sequencer.take().size(), 2U);
  eager.join();
  EXPECT_EQ(sequencer.take().size(), 1U);
}

TEST(Sequencer, EndsWhenTheTotalIsReached) {
  Sequencer sequencer(4);
  sequencer.deliver(0, named(0));
  sequencer.take();
  Bunch printer(1, [&] { EXPECT_TRUE(sequencer.take().empty()); });
  sequencer.finish(1);
  printer.join();
  EXPECT_TRUE(sequencer.drained());
}

TEST(Sequencer, LetsEverybodyGoWhenItIsAbandoned) {
  Sequencer sequencer(1);
  Bunch printer(1, [&] { EXPECT_TRUE(sequencer.take().empty()); });
  Bunch workers(3, [&](int i) { EXPECT_FALSE(sequencer.deliver(static_cast<std::size_t>(i) + 1, named(0))); });
  sequencer.abandon();
  printer.join();
  workers.join();
}

TEST(Sequencer, KeepsTheOrderOfManyWorkersWithASmallWindow) {
  constexpr std::size_t kItems = 20000;
  Sequencer sequencer(5);
  std::atomic<std::size_t> next = 0;
  Bunch workers(4, [&] {
    for (std::size_t i = next++; i < kItems; i = next++) ASSERT_TRUE(sequencer.deliver(i, named(i)));
  });
  std::size_t expected = 0;
  while (expected < kItems) {
    const std::vector<Outcome> taken = sequencer.take();
    ASSERT_LE(taken.size(), 5U);
    for (const Outcome& outcome : taken) ASSERT_EQ(outcome.path, std::to_string(expected++));
  }
}

TEST(SumLine, EscapesWhatWouldBreakALine) {
  EXPECT_EQ(sum_line("ab", "plain name"), "ab  plain name\n");
  EXPECT_EQ(sum_line("ab", "a\nb"), "\\ab  a\\nb\n");
  EXPECT_EQ(sum_line("ab", "a\\b"), "\\ab  a\\\\b\n");
  EXPECT_EQ(sum_line("ab", "a\r"), "\\ab  a\\r\n");
}

TEST(LineWriter, WritesPiecesThatAPipeTakesWhole) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_DIRECT), 0);  // keeps the pieces apart
  LineWriter writer(pipe[1]);
  const std::string line(999, 'x');
  for (int i = 0; i < 10; ++i) writer.add(line + "\n");
  writer.flush();
  std::string piece(1 << 16, '\0');
  std::size_t total = 0;
  while (total < 10'000) {
    const ssize_t count = ::read(pipe[0], piece.data(), piece.size());
    ASSERT_GT(count, 0);
    EXPECT_LE(count, PIPE_BUF);
    EXPECT_EQ(count % 1000, 0) << "a part of a line";
    total += static_cast<std::size_t>(count);
  }
  EXPECT_EQ(total, 10'000U);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST(LineWriter, ThrowsAndForgetsWhatCannotBeWritten) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  LineWriter writer(full);
  writer.add("a line\n");
  EXPECT_THROW(writer.flush(), std::system_error);
  writer.close();  // nothing is left to fail
}

TEST(ProgressBar, FitsTheTerminal) {
  const Progress progress{.files = 123'456, .bytes = 987'654'321, .expected = 200'000};
  EXPECT_EQ(bar_text(progress, 200), "[##################------------] 61%  123456 of 200000 files  941.9 MiB");
  for (int columns = 0; columns < 100; ++columns) {
    EXPECT_LE(bar_text(progress, columns).size(), static_cast<std::size_t>(std::max(columns - 1, 0)));
  }
}

TEST(ProgressBar, NeverShowsMoreThanAll) {
  EXPECT_EQ(bar_text({.files = 7, .bytes = 1, .expected = 5}, 200),
            "[##############################] 100%  7 of 5 files  1 B");
  EXPECT_EQ(bar_text({.files = 0, .bytes = 0, .expected = 0}, 200),
            "[##############################] 100%  0 of 0 files  0 B");
}

TEST(ProgressBar, SaysThatItCounts) {
  EXPECT_EQ(bar_text({.files = 3, .bytes = 2048, .expected = {}}, 200), "counting  3 files  2.0 KiB");
}

}  // namespace
