// SPDX-License-Identifier: MIT
//
// Part of every test program that links the lot: no test may leave a waiter behind, and the watchdog shows who waits.
#include <array>
#include <ostream>

#include <gtest/gtest.h>

#include "parking/inspect.hpp"
#include "support/delays.hpp"
#include "support/watchdog.hpp"

namespace support {
namespace {

using threading::parking::WaitRecord;

void print_waiters(std::ostream& out) {
  static std::array<WaitRecord, 256> records;
  const std::size_t count = threading::parking::collect_waiters(records.data(), records.size());
  const std::int64_t now = threading::detail::backend::monotonic_now();
  out << "the lot has " << count << " waiters\n";
  for (std::size_t i = 0; i < count && i < records.size(); ++i) {
    const WaitRecord& record = records[i];
    out << "  token " << record.thread << " waits for " << record.kind << " at " << record.object << ", owner token "
        << record.owner << ", for " << (now - record.since) / 1'000'000 << " ms\n";
  }
}

void expect_empty_lot() {
  // A helper thread of the timers may be about to leave one of the library's own locks.
  if (eventually([] { return threading::parking::collect_waiters(nullptr, 0) == 0; })) return;
  ADD_FAILURE() << "threads were left waiting in the lot";
}

#if defined(THREADING_TEST_VALGRIND)
// Once for all tests: each of the lot's locks, taken and let go, is another piece of this thread's history for drd.
class LotCheck : public testing::Environment {
  void TearDown() override { expect_empty_lot(); }
};
void install_check() { testing::AddGlobalTestEnvironment(new LotCheck); }
#else
class LotCheck : public testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo&) override { expect_empty_lot(); }
};
void install_check() { testing::UnitTest::GetInstance()->listeners().Append(new LotCheck); }
#endif

[[maybe_unused]] const bool installed = [] {
  add_watchdog_report(print_waiters);
  install_check();
  return true;
}();

}  // namespace
}  // namespace support
