// SPDX-License-Identifier: MIT
//
// One thread beside the slice that runs: it ends the slice when its time is up or a signal asks for it, and takes it
// for hung when nothing has moved for too long.
//
// It counts time only as it sees it pass, a fraction of a second at once. While the whole process is stopped (SIGSTOP),
// or gets no processor, nobody's time passes, neither the slice's nor the watchdog's.
#pragma once

#include <functional>
#include <thread>

#include "soak/soak.hpp"

namespace soak {

// Set by SIGINT and SIGTERM, once catch_interrupts() was called: the run is to end and to keep what it has.
void catch_interrupts();
bool interrupted() noexcept;

class Monitor {
 public:
  // Ends the slice after `seconds`. After `patience` seconds without progress it prints what it knows, calls `on_hang`
  // and aborts the process.
  Monitor(Slice& slice, double seconds, double patience, std::function<void()> on_hang);
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;
  ~Monitor();

  // Stops watching. Returns: how many seconds the slice has run.
  double finish();

 private:
  void watch();
  [[noreturn]] void bite();

  Slice& slice_;
  double seconds_;
  double patience_;
  std::function<void()> on_hang_;
  std::atomic<bool> finished_{false};
  double ran_ = 0;  // the thread's own until it is joined
  std::thread thread_;
};

}  // namespace soak
