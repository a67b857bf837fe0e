// SPDX-License-Identifier: MIT
//
// A condition over a lock of your own: with a FIFO queue, exact notify(n), stop
// tokens and a place in dump().
#include <iostream>
#include <mutex>

#include <threading/threading.hpp>

int main() {
  std::mutex mutex;
  threading::ConditionOver<std::mutex> turn(mutex);
  int whose = 0;

  threading::Thread pong = threading::spawn([&] {
    for (int i = 0; i < 3; ++i) {
      std::unique_lock hold(mutex);
      turn.wait_for([&] { return whose == 1; });
      std::cout << "pong\n";
      whose = 0;
      turn.notify();
    }
  });
  for (int i = 0; i < 3; ++i) {
    std::unique_lock hold(mutex);
    turn.wait_for([&] { return whose == 0; });
    std::cout << "ping\n";
    whose = 1;
    turn.notify();
  }
  pong.join();
}
