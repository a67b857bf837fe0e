// SPDX-License-Identifier: MIT
#include "signals.hpp"

#include <unistd.h>

#include <initializer_list>
#include <utility>

namespace threadsum {
namespace {

// Ends the listener's sigwait() when nobody pressed Ctrl-C.
constexpr int kWakeListener = SIGUSR1;

bool is_ignored(int number) {
  struct sigaction current {};
  return ::sigaction(number, nullptr, &current) == 0 && current.sa_handler == SIG_IGN;
}

sigset_t just(std::initializer_list<int> numbers) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : numbers) ::sigaddset(&set, number);
  return set;
}

}  // namespace

Signals::Signals(threading::Event& interrupted)
    : interrupted_(interrupted),
      heard_(just({kWakeListener})),
      listener_({.name = "signals"}, [this](std::stop_token stop) { listen(stop); }) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    if (!is_ignored(number)) ::sigaddset(&heard_, number);
  }
  ::pthread_sigmask(SIG_BLOCK, &heard_, nullptr);
  listener_.start();
}

Signals::~Signals() {
  listener_.stop_source().request_stop();
  ::kill(::getpid(), kWakeListener);
  listener_.join();
  // The mask stays: a Ctrl-C that comes now must not make a complete run fail.
}

void Signals::listen(const std::stop_token& stop) {
  const sigset_t wake = just({kWakeListener});
  sigset_t waited = heard_;
  while (!stop.stop_requested()) {
    int number = 0;
    if (::sigwait(&waited, &number) != 0 || number == kWakeListener) continue;
    received_ = number;
    interrupted_.set();
    sigset_t let_through = heard_;
    ::sigdelset(&let_through, kWakeListener);
    ::pthread_sigmask(SIG_UNBLOCK, &let_through, nullptr);
    waited = wake;
  }
}

}  // namespace threadsum
