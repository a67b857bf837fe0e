// SPDX-License-Identifier: MIT
//
// Thread-local data: the same name, another value in each thread.
#include <iostream>
#include <string>

#include <threading/threading.hpp>

namespace {

threading::local<> mydata;

void other_thread() {
  std::cout << "x in the new thread: " << std::boolalpha << mydata.contains("x") << '\n';
  try {
    mydata.get<int>("x");
  } catch (const threading::AttributeError& error) {
    std::cout << "AttributeError: " << error.what() << '\n';
  }
  mydata["x"] = 2;
  std::cout << "x in the new thread: " << mydata.get<int>("x") << '\n';
}

}  // namespace

int main() {
  mydata["x"] = 1;
  threading::spawn(other_thread).join();
  std::cout << "x in main: " << mydata.get<int>("x") << '\n';
  mydata.erase("x");
  std::cout << "x in main: " << mydata.contains("x") << '\n';
}
