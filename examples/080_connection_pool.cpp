// SPDX-License-Identifier: MIT
//
// The documentation's pool: a bounded semaphore guards a resource of limited
// capacity.
#include <atomic>
#include <iostream>
#include <vector>

#include <threading/threading.hpp>

namespace {

std::atomic<int> open_now = 0;
std::atomic<int> open_at_most = 0;

// Stands for a connection to a database server.
class Connection {
 public:
  Connection() {
    const int now = ++open_now;
    int most = open_at_most;
    while (now > most && !open_at_most.compare_exchange_weak(most, now)) {
    }
  }
  ~Connection() { --open_now; }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int query(int n) const { return n * n; }
};

constexpr int maxconnections = 5;
threading::BoundedSemaphore pool_sema(maxconnections);

int use_a_connection(int n) {
  threading::With hold(pool_sema);
  Connection conn;
  return conn.query(n);
}

}  // namespace

int main() {
  std::vector<int> results(20);
  std::vector<threading::Thread> workers;
  for (int n = 0; n < 20; ++n) {
    workers.push_back(threading::spawn([n, &results] { results[static_cast<std::size_t>(n)] = use_a_connection(n); }));
  }
  for (const threading::Thread& worker : workers) worker.join();

  int sum = 0;
  for (const int result : results) sum += result;
  std::cout << "sum of squares " << sum << '\n';
  std::cout << "never more than 5 connections: " << std::boolalpha << (open_at_most <= maxconnections) << '\n';

  // Released more often than acquired: a plain Semaphore would not notice.
  try {
    pool_sema.release();
  } catch (const threading::ValueError& error) {
    std::cout << "ValueError: " << error.what() << '\n';
  }
}
