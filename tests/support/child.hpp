// SPDX-License-Identifier: MIT
//
// Cases that end a process, or fork one, run in a child: run_child() tells what became of it, expect_child() judges.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>

namespace support {

// How a process ended: by exit with a status, or by a signal.
struct Ending {
  enum class Kind { exited, killed } kind = Kind::exited;
  int code = 0;

  friend bool operator==(const Ending&, const Ending&) = default;
  friend std::ostream& operator<<(std::ostream&, const Ending&);
};

constexpr Ending exited(int status) { return {Ending::Kind::exited, status}; }
constexpr Ending killed_by(int signal) { return {Ending::Kind::killed, signal}; }

struct ChildResult {
  Ending ending;
  std::string out;  // what it wrote to stdout
  std::string err;  // and to stderr
};

// The status with which a child exits when an EXPECT_ or ASSERT_ inside its body failed.
inline constexpr int kChildAssertionFailed = 97;

// Forks; the child runs `body` and then calls std::exit(0), so that exit handlers and static destructors run. An
// exception that leaves `body` ends it as one that leaves main() would. A child that hangs is killed by SIGALRM before
// the watchdog would speak. Only the calling thread exists in the child.
ChildResult run_child(const std::function<void()>& body);

// Whether `body` may start threads: not under ThreadSanitizer, which takes them for the parent's and ends the child.
bool children_may_start_threads() noexcept;

// Runs `body` in a child and fails the test unless it ended as `ending` says and `err_pattern` (ECMAScript regular
// expression) is found in what it wrote to stderr.
void expect_child(Ending ending, const std::string& err_pattern, const std::function<void()>& body,
                  const char* file = __builtin_FILE(), int line = __builtin_LINE());

}  // namespace support
