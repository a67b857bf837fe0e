// SPDX-License-Identifier: MIT
#include "platform/os_thread.hpp"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>
#include <ctime>

#include <threading/detail/backend.hpp>

#include "base/check.hpp"
#include "platform/futex.hpp"
#include "platform/thread_stack.hpp"

namespace threading::inline v1::platform {
namespace {

static_assert(sizeof(pthread_t) <= sizeof(std::uint64_t));

pthread_t to_pthread(std::uint64_t handle) noexcept { return static_cast<pthread_t>(handle); }

class Attributes {
 public:
  Attributes() noexcept : is_valid_(pthread_attr_init(&value_) == 0) {}
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() {
    if (is_valid_) pthread_attr_destroy(&value_);
  }

  bool is_valid() const noexcept { return is_valid_; }
  pthread_attr_t* get() noexcept { return &value_; }

 private:
  pthread_attr_t value_;
  bool is_valid_;
};

ThreadStack take_default_stack(Attributes& attributes) noexcept {
  std::size_t size = 0;
  std::size_t guard = 0;
  if (pthread_attr_getstacksize(attributes.get(), &size) != 0) return {};
  if (pthread_attr_getguardsize(attributes.get(), &guard) != 0) return {};
  return take_stack(size, guard);
}

// Whether the kernel has let go of the thread; false also when that cannot be told.
bool is_gone(std::uint64_t handle) noexcept {
  clockid_t clock{};
  return pthread_getcpuclockid(to_pthread(handle), &clock) == ESRCH;
}

// How often a joiner offers the processor while a thread that has ended leaves the kernel. The way out takes about as
// long as that many offers, and to sleep for it and be woken takes longer.
constexpr int kOffers = 8;

}  // namespace

bool start_os_thread(OsThread& thread, OsThreadMain main, void* argument, std::size_t stack_size) noexcept {
  make_room_for_sleepers();
  Attributes attributes;
  if (!attributes.is_valid()) return false;
  ThreadStack stack;
  if (stack_size != 0) {
    if (pthread_attr_setstacksize(attributes.get(), stack_size) != 0) return false;
  } else {
    stack = take_default_stack(attributes);
    if (stack.slot != 0 && pthread_attr_setstack(attributes.get(), stack.lowest, stack.size) != 0) return false;
  }
  pthread_t made{};
  if (pthread_create(&made, attributes.get(), main, argument) != 0) {
    if (stack.slot != 0) give_back_stack(stack.slot);
    return false;
  }
  thread.handle = static_cast<std::uint64_t>(made);
  thread.stack = stack.slot;
  return true;
}

bool start_detached_os_thread(OsThreadMain main) noexcept {
  make_room_for_sleepers();
  Attributes attributes;
  pthread_t made{};
  return attributes.is_valid() && pthread_attr_setdetachstate(attributes.get(), PTHREAD_CREATE_DETACHED) == 0 &&
         pthread_create(&made, attributes.get(), main, nullptr) == 0;
}

void join_os_thread(const OsThread& thread) noexcept {
  for (int left = kOffers; left != 0 && !is_gone(thread.handle) && crowd_of_joiners.offer(); --left) continue;
  // pthread_join() is a cancellation point, and the library's waits are not.
  int before = 0;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
  THREADING_INVARIANT(pthread_join(to_pthread(thread.handle), nullptr) == 0, "a thread can be joined once");
  pthread_setcancelstate(before, nullptr);
  if (thread.stack != 0) give_back_stack(thread.stack);
}

void leave_os_thread(const OsThread& self) noexcept {
  pthread_detach(to_pthread(self.handle));
  if (self.stack != 0) leave_stack(self.stack, os_native_id());
}

std::uint64_t os_ident() noexcept { return static_cast<std::uint64_t>(pthread_self()); }

std::int32_t os_native_id() noexcept { return static_cast<std::int32_t>(syscall(SYS_gettid)); }

// The clock of a thread names it: the kernel takes the complement of the thread's id, shifted, with these bits below.
std::int32_t new_thread_native_id() noexcept {
  constexpr clockid_t kThreadClock = 6;
  constexpr clockid_t kMask = 7;
  clockid_t clock{};
  if (pthread_getcpuclockid(pthread_self(), &clock) != 0 || (clock & kMask) != kThreadClock) return os_native_id();
  return ~(clock >> 3);
}

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
  const std::size_t most = static_cast<std::size_t>(PTRDIFF_MAX) / page * page;
  return bytes > most ? most : (bytes + page - 1) / page * page;
}

void want_exact_timers() noexcept { prctl(PR_SET_TIMERSLACK, 1ul); }

void sleep_for_ever() noexcept {
  int before = 0;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
  for (;;) pause();
}

}  // namespace threading::inline v1::platform
