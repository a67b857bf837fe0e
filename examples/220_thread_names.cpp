// SPDX-License-Identifier: MIT
//
// Who is there: names, the main thread, enumerate() and active_count().
#include <iostream>
#include <string>
#include <vector>

#include <threading/threading.hpp>

int main() {
  std::cout << std::boolalpha;
  const threading::Thread main = threading::main_thread();
  std::cout << main.name() << ": current " << (threading::current_thread() == main) << ", daemon " << main.daemon()
            << ", ident " << (main.ident() == threading::get_ident()) << '\n';

  threading::Event done;
  const auto wait = [&] { done.wait(); };
  threading::Thread unnamed(wait);
  threading::Thread named({.name = "indexer"}, wait);
  unnamed.start();
  named.start();

  for (const threading::Thread& thread : threading::enumerate()) {
    std::cout << "alive: " << thread.name() << '\n';
  }
  std::cout << "active_count: " << threading::active_count() << '\n';

  named.name("searcher");  // only a label: it may change while the thread runs
  std::cout << "renamed: " << named.name() << '\n';

  done.set();
  unnamed.join();
  named.join();
  std::cout << "active_count: " << threading::active_count() << '\n';
}
