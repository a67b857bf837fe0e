// SPDX-License-Identifier: MIT
//
// The main thread ends alone, by pthread_exit(): the others live on, those that join it go on, and the process ends
// with the last. A program of its own, because no forced unwind gets through the test runner.
#include <pthread.h>

#include <cstdio>

#include <threading/threading.hpp>

int main() {
  threading::spawn([] {
    threading::main_thread().join();
    std::puts(threading::main_thread().is_alive() ? "the main thread is alive" : "on its own");
  });
  pthread_exit(nullptr);
}
