// SPDX-License-Identifier: MIT
//
//   rivals --list                                        every pair, one "row rival" a line
//   rivals --sizes                                       "class rival bytes" a line
//   rivals ROW RIVAL PLACEMENT MILLISECONDS [COUNT]      measures once, prints "key=value …"
//   rivals ROW RIVAL PLACEMENT STEPSx                    does so many steps, for a tool that counts instructions
//   rivals --smoke                                       every pair for a moment: does it run at all?
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "harness.hpp"
#include "rivals.hpp"

namespace {

bool parse(std::string_view text, bench::Placement& placement) {
  using enum bench::Placement;
  for (const auto& [name, value] : {std::pair{"one", one}, {"free", free}, {"late", late}, {"apart", apart}}) {
    if (text == name) {
      placement = value;
      return true;
    }
  }
  return false;
}

void print(const bench::Result& result) {
  std::printf("ns=%.3f", result.ns);
  if (result.switches >= 0) std::printf(" switches=%.3f", result.switches);
  if (result.fairness >= 0) std::printf(" fairness=%.3f", result.fairness);
  if (result.longest_ms >= 0) std::printf(" longest_ms=%.3f", result.longest_ms);
  if (result.bytes >= 0) std::printf(" bytes=%.1f", result.bytes);
  if (result.start_ns >= 0) std::printf(" start=%.3f", result.start_ns);
  if (result.cancel_ns >= 0) std::printf(" cancel=%.3f", result.cancel_ns);
  if (result.threads >= 0) std::printf(" threads=%.0f", result.threads);
  std::printf("\n");
}

int smoke() {
  bench::Options options;
  options.duration = 200'000;
  options.count = 64;
  for (const bench::Entry& entry : bench::entries()) {
    const bench::Result result = entry.run(options);
    if (!(result.ns > 0)) {
      std::printf("%s of %s measured nothing\n", entry.row.c_str(), entry.rival.c_str());
      return 1;
    }
  }
  std::printf("%zu pairs ran\n", bench::entries().size());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  bench::Options options;
  if (argc >= 5 && !parse(argv[3], options.placement)) return 2;
  const bool counts_steps = argc >= 5 && std::string_view(argv[4]).ends_with('x');
  // It goes on as it is if that fails. A tool that counts would lose the program, and counts nothing of the kernel's.
  if (bench::place_process(options.placement) && !counts_steps) execv("/proc/self/exe", argv);
  bench::calibrate_work();
  bench::add_all_rivals();

  if (first == "--smoke") return smoke();
  if (first == "--sizes") {
    bench::print_sizes();
    return 0;
  }
  if (first == "--list") {
    for (const bench::Entry& entry : bench::entries()) std::printf("%s %s\n", entry.row.c_str(), entry.rival.c_str());
    return 0;
  }
  if (argc < 5) {
    std::fprintf(
        stderr,
        "usage: rivals --list | --sizes | --smoke | ROW RIVAL one|free|late|apart MILLISECONDS|STEPSx [COUNT]\n");
    return 2;
  }
  if (counts_steps) {
    options.steps = static_cast<std::size_t>(std::atoll(argv[4]));
    options.count = options.steps;
  } else {
    options.duration = std::atoll(argv[4]) * 1'000'000;
  }
  if (argc > 5) options.count = static_cast<std::size_t>(std::atoll(argv[5]));
  for (const bench::Entry& entry : bench::entries()) {
    if (entry.row == argv[1] && entry.rival == argv[2]) {
      print(entry.run(options));
      return 0;
    }
  }
  std::fprintf(stderr, "no row '%s' of '%s'\n", argv[1], argv[2]);
  return 2;
}
