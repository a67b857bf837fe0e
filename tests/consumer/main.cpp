// SPDX-License-Identifier: MIT
//
// What a user's program may look like: it must build against the library however that came to it, and run.
#include <cstdio>
#include <string>

#include <threading/threading.hpp>

// Set by the build from the version that the package says it has.
#if !defined(EXPECTED_VERSION)
#error "the project says no version of the library"
#endif

int main() {
  const threading::Main main_guard;
  threading::Condition ready;
  std::string word;

  threading::Thread speaker({.name = "speaker"}, [&] {
    const threading::With hold(ready);
    word = "hello";
    ready.notify_all();
  });
  {
    const threading::With hold(ready);
    speaker.start();
    ready.wait_for([&] { return !word.empty(); });
  }
  speaker.join();

  const std::string version = std::to_string(THREADING_VERSION_MAJOR) + "." + std::to_string(THREADING_VERSION_MINOR) +
                              "." + std::to_string(THREADING_VERSION_PATCH);
  if (version != EXPECTED_VERSION) {
    std::fprintf(stderr, "the headers say %s, the package says %s\n", version.c_str(), EXPECTED_VERSION);
    return 1;
  }
  std::printf("%s from %s\n", word.c_str(), speaker.name().c_str());
  return word == "hello" ? 0 : 1;
}
