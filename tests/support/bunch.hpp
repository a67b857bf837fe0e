// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

namespace support {

// A bunch of OS threads that run the same body and start it at the same moment, or one by one.
//
//   Bunch bunch(8, [&](int index) { ... });      // eight threads, held at the gate until all are there
//   ASSERT_TRUE(eventually([&] { return bunch.finished() == 8; }));
//   bunch.join();                                // also done by the destructor
//
// Plain std::thread on purpose: the helper must not stand on what it tests. What a body throws, other than through
// the library's own threads, fails the test when the thread is joined.
class Bunch {
 public:
  using Body = std::function<void(int index)>;

  // An empty bunch; threads come with add().
  Bunch() = default;
  Bunch(int count, Body body);
  explicit Bunch(int count, std::function<void()> body) : Bunch(count, [body](int) { body(); }) {}
  Bunch(const Bunch&) = delete;
  Bunch& operator=(const Bunch&) = delete;
  ~Bunch() { join(); }

  // Starts one more thread at once; its index is the number of threads before it.
  void add(Body body);
  void add(std::function<void()> body) {
    add([body](int) { body(); });
  }

  int size() const noexcept { return static_cast<int>(threads_.size()); }
  // How many bodies have begun, and how many have returned or thrown.
  int started() const noexcept { return started_.load(); }
  int finished() const noexcept { return finished_.load(); }

  // Waits for every thread and reports what they threw as failures of the running test.
  void join();

 private:
  void run(const Body& body, int index) noexcept;

  std::vector<std::thread> threads_;
  std::unique_ptr<std::latch> gate_;
  std::atomic<int> started_{0};
  std::atomic<int> finished_{0};
};

}  // namespace support
