// SPDX-License-Identifier: MIT
//
// fork() while another thread holds a lock: what the child finds.
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>

#include <threading/threading.hpp>

namespace {

threading::Lock mine;
threading::Lock theirs;

void look_around(const char* who, const threading::Thread& worker) {
  std::cout << who << ": " << threading::active_count() << " alive, " << worker.name() << ' '
            << (worker.is_alive() ? "runs" : "is gone") << ", main thread "
            << (threading::main_thread() == threading::current_thread() ? "is me" : "is another") << '\n';
}

void child(const threading::Thread& worker) {
  look_around("child", worker);
  worker.join();  // at once

  mine.release();  // held by this thread before and after fork()
  // Held by a thread that does not exist here. What it protects may be half
  // changed; put that in order, then:
  theirs.release();
  std::cout << "child: both locks are free: " << std::boolalpha << (!mine.locked() && !theirs.locked()) << '\n';
  std::cout << std::flush;
  _exit(0);
}

}  // namespace

int main() {
  threading::Event held;
  threading::Event done;
  threading::Thread worker = threading::spawn({.name = "worker"}, [&] {
    threading::With hold(theirs);
    held.set();
    done.wait();
  });
  held.wait();
  mine.acquire();

  const pid_t pid = fork();
  if (pid == 0) child(worker);
  waitpid(pid, nullptr, 0);

  look_around("parent", worker);
  mine.release();
  done.set();
  worker.join();
}
