// SPDX-License-Identifier: MIT
#include "support/child.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <regex>
#include <system_error>

#include <gtest/gtest.h>

#include "support/delays.hpp"
#include "support/sanitizers.hpp"

namespace support {
namespace {

// A child cannot stop the parent's threads, which the leak checker takes for its own.
bool is_child = false;

struct Pipe {
  int read_end = -1;
  int write_end = -1;

  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    read_end = ends[0];
    write_end = ends[1];
  }
};

// Without noexcept an exception would climb into the test runner, and the child would go on with the parent's tests.
[[noreturn]] void live_as_child(const std::function<void()>& body, const Pipe& out, const Pipe& err) noexcept {
  is_child = true;
  ::dup2(out.write_end, STDOUT_FILENO);
  ::dup2(err.write_end, STDERR_FILENO);
  for (const int fd : {out.read_end, out.write_end, err.read_end, err.write_end}) ::close(fd);
  ::alarm(static_cast<unsigned>(30 * time_scale()));
  body();
  std::exit(testing::Test::HasFailure() ? kChildAssertionFailed : 0);
}

// Appends what is there to read. Returns: false at the end of the stream.
bool drain(int fd, std::string& text) {
  std::array<char, 4096> buffer{};
  const ssize_t count = ::read(fd, buffer.data(), buffer.size());
  if (count < 0) return errno == EINTR;
  text.append(buffer.data(), static_cast<std::size_t>(count));
  return count > 0;
}

void read_both(int out_fd, std::string& out, int err_fd, std::string& err) {
  std::array<pollfd, 2> fds{{{out_fd, POLLIN, 0}, {err_fd, POLLIN, 0}}};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) break;
    if (fds[0].fd >= 0 && fds[0].revents != 0 && !drain(out_fd, out)) fds[0].fd = -1;
    if (fds[1].fd >= 0 && fds[1].revents != 0 && !drain(err_fd, err)) fds[1].fd = -1;
  }
}

Ending wait_for_process(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
  }
  return WIFSIGNALED(status) ? killed_by(WTERMSIG(status)) : exited(WEXITSTATUS(status));
}

}  // namespace

// Asked by the leak checker at exit, in a build that has one.
extern "C" int __lsan_is_turned_off();
extern "C" int __lsan_is_turned_off() { return is_child ? 1 : 0; }

std::ostream& operator<<(std::ostream& out, const Ending& ending) {
  if (ending.kind == Ending::Kind::exited) return out << "exit status " << ending.code;
  return out << "signal " << ending.code << " (" << ::strsignal(ending.code) << ")";
}

ChildResult run_child(const std::function<void()>& body) {
  const Pipe out;
  const Pipe err;
  std::cout.flush();
  std::cerr.flush();
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid == 0) live_as_child(body, out, err);

  ::close(out.write_end);
  ::close(err.write_end);
  ChildResult result;
  read_both(out.read_end, result.out, err.read_end, result.err);
  ::close(out.read_end);
  ::close(err.read_end);
  result.ending = wait_for_process(pid);
  return result;
}

bool children_may_start_threads() noexcept {
#if defined(THREADING_TEST_EMULATED)
  return false;
#else
  return !kHasThreadSanitizer;
#endif
}

void expect_child(Ending ending, const std::string& err_pattern, const std::function<void()>& body, const char* file,
                  int line) {
  const ChildResult result = run_child(body);
  const bool ends_well = result.ending == ending;
  const bool speaks_well = std::regex_search(result.err, std::regex(err_pattern));
  if (ends_well && speaks_well) return;
  ADD_FAILURE_AT(file, line) << "The child ended with " << result.ending << ", expected " << ending << ".\n"
                             << (speaks_well ? "" : "Not found on its stderr: " + err_pattern + "\n")  //
                             << "stdout:\n"
                             << result.out << "\nstderr:\n"
                             << result.err;
}

}  // namespace support
