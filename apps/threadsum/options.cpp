// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <thread>

#include <CLI/CLI.hpp>

#include "exit_codes.hpp"

namespace threadsum {
namespace {

constexpr std::size_t kMostThreads = 1024;
constexpr std::size_t kMostOpenFiles = 65536;

constexpr const char* kDescription =
    "Print the SHA-256 sum of every regular file below PATH, in the format of sha256sum.\n"
    "The order is that of the names, whatever the number of threads; sha256sum -c checks it.\n"
    "Symbolic links are followed only when named as PATH.";

constexpr const char* kExitStatus =
    "Exit status: 0 every file was summed; 1 one was not, or the output failed; 2 wrong usage;\n"
    "128 + N ended by signal N (130 for Ctrl-C).";

std::string check_seconds(const std::string& text) {
  double seconds = 0;
  if (!CLI::detail::lexical_cast(text, seconds) || !std::isfinite(seconds) || seconds <= 0 ||
      seconds > threading::TIMEOUT_MAX.count()) {
    return text + " is not a number of seconds above zero";
  }
  return {};
}

// Standard output may be a full disk for --help too.
int answered(const std::string& text) {
  std::cout << text << std::flush;
  if (std::cout) return kExitOk;
  std::cerr << "threadsum: standard output: cannot write\n";
  return kExitFailed;
}

}  // namespace

std::optional<Options> parse_options(int argc, char** argv, int& exit_code) {
  Options options;
  options.threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMostThreads);
  double dump_every = 0;

  CLI::App app(kDescription, "threadsum");
  app.footer(kExitStatus);
  app.add_option("PATH", options.paths, "Files and directories (default: the current directory)");
  app.add_option("--threads", options.threads, "Worker threads (default: one per processor)")
      ->check(CLI::Range(std::size_t{1}, kMostThreads))
      ->type_name("N");
  app.add_option("--open-files", options.open_files, "Files and directories open at once")
      ->check(CLI::Range(std::size_t{1}, kMostOpenFiles))
      ->type_name("N")
      ->capture_default_str();
  const CLI::Option* dump =
      app.add_option("--dump-every", dump_every, "Print every SECONDS what each thread is doing, on standard error")
          ->check(CLI::Validator(check_seconds, ""))
          ->type_name("SECONDS");
  app.set_version_flag("--version", "threadsum " THREADSUM_VERSION, "Print the version and exit");

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    exit_code = answered(app.help());
    return std::nullopt;
  } catch (const CLI::CallForVersion& version) {
    exit_code = answered(std::string(version.what()) + "\n");
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    std::cerr << "threadsum: " << error.what() << "\nTry: threadsum --help\n";
    exit_code = kExitUsage;
    return std::nullopt;
  }
  if (dump->count() > 0) options.dump_every = threading::Timeout(dump_every);
  return options;
}

}  // namespace threadsum
