// SPDX-License-Identifier: MIT
//
// threadsum: the sums of many files, by many threads, in a reproducible order.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <optional>
#include <sstream>

#include <threading/dump.hpp>
#include <threading/event.hpp>

#include "console.hpp"
#include "every.hpp"
#include "exit_codes.hpp"
#include "options.hpp"
#include "progress_bar.hpp"
#include "session.hpp"
#include "signals.hpp"

namespace threadsum {
namespace {

// A file opened while a standard descriptor is closed would get its number, and
// our output would go into it. The stand-in fails every write, as it should.
void fill_standard_descriptors() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) == -1) ::open("/dev/null", O_RDONLY);
  }
}

void print_dump(Console& console) {
  std::ostringstream text;
  threading::dump(text);
  console.print(text.str());
}

int exit_code_of(Session::End end, const Signals& signals, bool interrupted) {
  switch (end) {
    case Session::End::complete: return kExitOk;
    case Session::End::some_failed:
    case Session::End::failed: return kExitFailed;
    case Session::End::interrupted:
    case Session::End::stuck: break;
  }
  return interrupted ? kExitSignal + signals.received() : kExitFailed;
}

int run(const Options& options, Console& console) {
  threading::Event interrupted;
  const Signals signals(interrupted);
  // Before the two that look at it, so that they end first.
  Session session(options, console, interrupted);
  std::optional<Every> dumps;
  if (options.dump_every) {
    dumps.emplace("dump", *options.dump_every, [&console] { print_dump(console); });
  }
  std::optional<ProgressBar> bar;
  if (console.draws()) bar.emplace(session.meter(), console);

  const Session::End end = session.run();
  bar.reset();
  const int exit_code = exit_code_of(end, signals, interrupted.is_set());
  if (end == Session::End::interrupted || (end == Session::End::stuck && interrupted.is_set())) {
    console.message("interrupted: the output is incomplete");
  }
  if (end == Session::End::stuck) {
    console.message("not waiting for a system call that does not return");
    std::_Exit(exit_code);
  }
  return exit_code;
}

int main_guarded(int argc, char** argv) {
  fill_standard_descriptors();
  // Both then arrive as the error of a write, which says what went wrong.
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  int exit_code = kExitOk;
  const std::optional<Options> options = parse_options(argc, argv, exit_code);
  if (!options) return exit_code;
  Console console;
  try {
    return run(*options, console);
  } catch (const std::exception& error) {
    console.message(error.what());
    return kExitFailed;
  }
}

}  // namespace
}  // namespace threadsum

int main(int argc, char** argv) { return threadsum::main_guarded(argc, argv); }
