// SPDX-License-Identifier: MIT
//
// The documentation's client and server: a barrier makes the client wait until
// the server is up.
#include <chrono>
#include <deque>
#include <iostream>
#include <string>

#include <threading/threading.hpp>

using namespace std::chrono_literals;

namespace {

threading::Barrier b(2, {}, 5s);

// Stands for the network between the two.
threading::Condition wire;
std::deque<std::string> connections;
bool listening = false;

void start_server() {
  threading::With hold(wire);
  listening = true;
}

std::string accept_connection() {
  threading::With hold(wire);
  wire.wait_for([] { return !connections.empty(); });
  std::string connection = connections.front();
  connections.pop_front();
  return connection;
}

void make_connection(const std::string& name) {
  threading::With hold(wire);
  if (!listening) std::cout << "connection refused\n";
  connections.push_back(name);
  wire.notify();
}

void server() {
  start_server();
  b.wait();
  for (;;) {
    const std::string connection = accept_connection();
    if (connection == "bye") return;
    std::cout << "server: " << connection << '\n';
  }
}

void client() {
  b.wait();
  for (const char* name : {"first", "second", "bye"}) make_connection(name);
}

}  // namespace

int main() {
  threading::Thread clients = threading::spawn({.name = "client"}, client);
  threading::Thread servers = threading::spawn({.name = "server"}, server);
  clients.join();
  servers.join();
}
