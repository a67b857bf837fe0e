// SPDX-License-Identifier: MIT
//
// Counts what a test allocates. All of the C library's ways to memory are watched, and with them operator new, which
// takes them. For one file of a program: it replaces malloc().
#pragma once

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <stop_token>

#include <threading/barrier.hpp>
#include <threading/condition.hpp>
#include <threading/event.hpp>
#include <threading/lock.hpp>
#include <threading/rlock.hpp>
#include <threading/semaphore.hpp>
#include <threading/with.hpp>

#include "support/lot.hpp"
#include "support/support.hpp"

namespace allocation_test {

// Counted in the threads that ask for it. Plain, so that it needs no initialisation, which might allocate; volatile,
// since a compiler knows that malloc() looks at no variable of ours.
inline thread_local constinit volatile bool counting = false;
inline std::atomic<int> allocations{0};

inline void count_allocation() noexcept {
  if (counting) ++allocations;
}

}  // namespace allocation_test

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TEST_SANITIZED 1
#endif
#endif

// A sanitizer has a malloc() of its own, and reports the calls of it.
#if defined(TEST_SANITIZED)
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, std::size_t),
                                                         void (*)(const volatile void*));
namespace allocation_test {
[[maybe_unused]] inline const int installed = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t) { count_allocation(); }, [](const volatile void*) {});
}
#else
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) {
  allocation_test::count_allocation();
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  allocation_test::count_allocation();
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  allocation_test::count_allocation();
  return __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  allocation_test::count_allocation();
  return __libc_memalign(alignment, size);
}
void* memalign(std::size_t alignment, std::size_t size) { return aligned_alloc(alignment, size); }
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  void* const got = aligned_alloc(alignment, size);
  if (got == nullptr) return ENOMEM;
  *memory = got;
  return 0;
}
}
#endif

namespace allocation_test {

using namespace std::chrono_literals;
using namespace support;
using namespace threading;

class Allocation : public testing::Test {
 protected:
  void SetUp() override {
    // The first waits of a program and of a thread may set things up; they must not allocate either, so nothing is
    // warmed up here.
    allocations = 0;
  }
  // Runs `body` and counts what it allocates.
  template <class Body>
  static void counted(Body body) {
    counting = true;
    body();
    counting = false;
  }
  // A thread that runs `body` and counts what it allocates.
  template <class Body>
  void counted_thread(Body body) {
    threads_.add([body] { counted(body); });
  }
  void expect_none() {
    threads_.join();
    EXPECT_EQ(allocations, 0);
  }
  Bunch threads_;
};

// How many allocations the body makes.
template <class Body>
int allocations_of(Body body) {
  const int before = allocations;
  counting = true;
  body();
  counting = false;
  return allocations - before;
}

}  // namespace allocation_test
