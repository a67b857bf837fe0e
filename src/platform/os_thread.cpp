// SPDX-License-Identifier: MIT
#include "platform/os_thread.hpp"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>

#include "base/check.hpp"

namespace threading::inline v1::platform {
namespace {

static_assert(sizeof(pthread_t) <= sizeof(std::uint64_t));

pthread_t to_pthread(std::uint64_t handle) noexcept { return static_cast<pthread_t>(handle); }

}  // namespace

bool start_os_thread(OsThread& thread, OsThreadMain main, void* argument, std::size_t stack_size) noexcept {
  pthread_t made{};
  bool done = false;
  if (stack_size == 0) {
    done = pthread_create(&made, nullptr, main, argument) == 0;
  } else {
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return false;
    done = pthread_attr_setstacksize(&attributes, stack_size) == 0 &&
           pthread_create(&made, &attributes, main, argument) == 0;
    pthread_attr_destroy(&attributes);
  }
  if (done) thread.handle = static_cast<std::uint64_t>(made);
  return done;
}

void join_os_thread(const OsThread& thread) noexcept {
  // pthread_join() is a cancellation point, and the library's waits are not.
  int before = 0;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
  THREADING_INVARIANT(pthread_join(to_pthread(thread.handle), nullptr) == 0, "a thread can be joined once");
  pthread_setcancelstate(before, nullptr);
}

void leave_os_thread(const OsThread& self) noexcept { pthread_detach(to_pthread(self.handle)); }

std::uint64_t os_ident() noexcept { return static_cast<std::uint64_t>(pthread_self()); }

std::int32_t os_native_id() noexcept { return static_cast<std::int32_t>(syscall(SYS_gettid)); }

bool is_initial_thread() noexcept { return os_native_id() == static_cast<std::int32_t>(getpid()); }

void name_os_thread(std::string_view name) noexcept {
  constexpr std::size_t kMaxBytes = 15;
  std::size_t size = std::min(name.size(), kMaxBytes);
  const auto continues = [&](std::size_t at) { return at < name.size() && (name[at] & '\xC0') == '\x80'; };
  while (size != 0 && continues(size)) --size;
  char text[kMaxBytes + 1] = {};
  std::memcpy(text, name.data(), size);
  prctl(PR_SET_NAME, text);  // cannot fail for the calling thread
}

std::size_t round_stack_size(std::size_t bytes) noexcept {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const long smallest = sysconf(_SC_THREAD_STACK_MIN);
  bytes = std::max(bytes, static_cast<std::size_t>(std::max(smallest, static_cast<long>(PTHREAD_STACK_MIN))));
  return (bytes + page - 1) / page * page;
}

void want_exact_timers() noexcept { prctl(PR_SET_TIMERSLACK, 1ul); }

void sleep_for_ever() noexcept {
  int before = 0;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
  for (;;) pause();
}

}  // namespace threading::inline v1::platform
