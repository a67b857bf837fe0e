// SPDX-License-Identifier: MIT
//
// One Timeout for every blocking call: a duration, a point in time, seconds.
#include <chrono>
#include <cmath>
#include <iostream>

#include <threading/threading.hpp>

using namespace std::chrono_literals;

namespace {

template <class Call>
void report(const char* what, Call call) {
  std::cout << what << ": ";
  try {
    std::cout << call() << '\n';
  } catch (const threading::ValueError& error) {
    std::cout << "ValueError: " << error.what() << '\n';
  } catch (const threading::OverflowError& error) {
    std::cout << "OverflowError: " << error.what() << '\n';
  }
}

}  // namespace

int main() {
  std::cout << std::boolalpha;
  threading::Event never;
  report("a duration", [&] { return never.wait(5ms); });
  report("a point in time", [&] { return never.wait(std::chrono::steady_clock::now() + 5ms); });
  report("seconds", [&] { return never.wait(0.005); });
  report("no_wait", [&] { return never.wait(threading::no_wait); });
  report("a past point in time", [&] { return never.wait(std::chrono::steady_clock::now() - 1h); });

  // A deadline bounds several calls together.
  const auto deadline = std::chrono::steady_clock::now() + 10ms;
  report("first of two", [&] { return never.wait(deadline); });
  report("second of two", [&] { return never.wait(deadline); });

  threading::Lock lock;
  report("NaN", [&] { return lock.acquire(std::nan("")); });
  report("too long", [&] { return lock.acquire(1e100); });
  report("negative", [&] { return lock.acquire(-2.0); });
  report("minus one, as in Python", [&] { return lock.acquire(true, -1.0); });
  report("not blocking, with a timeout", [&] { return lock.acquire(false, 1s); });
}
