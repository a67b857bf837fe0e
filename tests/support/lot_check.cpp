// SPDX-License-Identifier: MIT
//
// Part of every test program that links the lot: no test may leave a waiter behind, and the watchdog shows who waits.
#include <array>
#include <ostream>

#include <gtest/gtest.h>

#include "parking/inspect.hpp"
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

class LotCheck : public testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo&) override {
    const std::size_t left = threading::parking::collect_waiters(nullptr, 0);
    EXPECT_EQ(left, 0u) << "the test left threads waiting in the lot";
  }
};

[[maybe_unused]] const bool installed = [] {
  add_watchdog_report(print_waiters);
  testing::UnitTest::GetInstance()->listeners().Append(new LotCheck);
  return true;
}();

}  // namespace
}  // namespace support
