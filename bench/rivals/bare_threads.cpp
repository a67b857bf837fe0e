// SPDX-License-Identifier: MIT
//
// design:bare-threads: a thread on a stack that is kept, joined by offers of the processor, and nothing else: no name,
// no place in enumerate(), no state that outlives it. What is left of the time of a Thread if everything that makes it
// one of Python's is taken away. design:named-threads: the same with a name for the system's tools, one call more.
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <atomic>
#include <functional>
#include <utility>
#include <vector>

#include "../rivals.hpp"

namespace bench {
namespace {

// For one starting thread.
class Stacks {
 public:
  static constexpr std::size_t kBytes = 8 * 1024 * 1024;

  ~Stacks() {
    for (void* stack : kept_) munmap(stack, kBytes);
  }
  void* take() {
    if (kept_.empty()) {
      return mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    }
    void* const stack = kept_.back();
    kept_.pop_back();
    return stack;
  }
  void give_back(void* stack) { kept_.push_back(stack); }

 private:
  std::vector<void*> kept_;
};
Stacks stacks;

template <bool IsNamed>
class BareThread {
 public:
  explicit BareThread(std::function<void()> body) : body_(std::move(body)), stack_(stacks.take()) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack_, Stacks::kBytes);
    pthread_create(&thread_, &attributes, &BareThread::run, this);
    pthread_attr_destroy(&attributes);
  }
  void join() {
    while (!has_ended_.load(std::memory_order_acquire)) sched_yield();
    pthread_join(thread_, nullptr);
    stacks.give_back(stack_);
  }

 private:
  static void* run(void* self) {
    if constexpr (IsNamed) prctl(PR_SET_NAME, "Thread-1");
    auto& thread = *static_cast<BareThread*>(self);
    thread.body_();
    thread.has_ended_.store(true, std::memory_order_release);
    return nullptr;
  }

  std::function<void()> body_;
  void* stack_;
  pthread_t thread_{};
  std::atomic<bool> has_ended_{false};
};

struct BareThreads {
  static constexpr const char* kName = "design:bare-threads";
  using Thread = BareThread<false>;
};
struct NamedThreads {
  static constexpr const char* kName = "design:named-threads";
  using Thread = BareThread<true>;
};

}  // namespace

void add_bare_threads() {
  add_rows<BareThreads>();
  add_rows<NamedThreads>();
}

}  // namespace bench
