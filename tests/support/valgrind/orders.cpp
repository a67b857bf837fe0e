// SPDX-License-Identifier: MIT
//
// What valgrind's race detectors cannot see by themselves: that an operation of std::atomic orders. The preset
// `valgrind` compiles everything as for the compiler's thread sanitizer, which turns each such operation into a call
// with its memory order; these are the functions called, and they pass the orders on to helgrind and drd:
//
//   acquire   whatever was released at this address before happened before what follows
//   release   whatever this thread did so far happened before a later acquire at this address
//
// An order that is missing in the sources is therefore a race here, too. Stores are exchanges: both tools take an
// instruction with a bus lock for no plain access, and only such may meet other accesses unordered. Plain accesses are
// valgrind's own business, and the functions called for them are empty.
//
// An acquire is passed on only if something was released at the address since this thread's last: polling loops would
// otherwise tell drd the same a million times, at a price that grows with the number of threads.
//
// Initialisation of function-local statics is replaced, since its one-time lock is in the standard library's binary,
// where nobody sees its orders.
//
// A stack handed to pthread_attr_setstack() is said to be new memory: its last thread may have been one that nobody
// joined, whose end the library learns from the kernel, unseen by helgrind. What that thread still does there later is
// found as ever.
#include <pthread.h>
#include <valgrind/drd.h>
#include <valgrind/helgrind.h>

#include <cstddef>
#include <cstdint>

namespace {

// How often was released at an address. Addresses that share a counter cost an acquire too many, no more.
constexpr std::size_t kCounters = 1 << 16;
std::uint32_t releases_at[kCounters];

// What this thread has acquired already: up to which release. Small, since it is taken from each thread's stack.
struct Acquired {
  std::uintptr_t where;
  std::uint32_t release;
};
constexpr std::size_t kRemembered = 128;
thread_local Acquired acquired[kRemembered];

std::uint32_t& counter(std::uintptr_t where) noexcept { return releases_at[(where >> 2) * 0x9E3779B1u % kCounters]; }
Acquired& remembered(std::uintptr_t where) noexcept { return acquired[(where >> 2) * 0x9E3779B1u % kRemembered]; }

bool acquires(int order) noexcept { return order != __ATOMIC_RELAXED && order != __ATOMIC_RELEASE; }
bool releases(int order) noexcept {
  return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

// Told as of the next byte: drd has one kind of object at an address, and a mutex whose destructor does nothing may
// have been where an atomic is now.
void tell(unsigned helgrind, unsigned drd, std::uintptr_t where) noexcept {
  ++where;
  VALGRIND_DO_CLIENT_REQUEST_STMT(helgrind, where, 0, 0, 0, 0);
  VALGRIND_DO_CLIENT_REQUEST_STMT(drd, where, 0, 0, 0, 0);
}

// Told, counted, done, in this order: who sees the operation sees the count, and who sees the count may tell.
void before(const volatile void* address, int order) noexcept {
  if (!releases(order)) return;
  const auto where = reinterpret_cast<std::uintptr_t>(address);
  tell(_VG_USERREQ__HG_USERSO_SEND_PRE, VG_USERREQ__DRD_ANNOTATE_HAPPENS_BEFORE, where);
  __atomic_fetch_add(&counter(where), 1, __ATOMIC_SEQ_CST);
}

void after(const volatile void* address, int order) noexcept {
  if (!acquires(order)) return;
  const auto where = reinterpret_cast<std::uintptr_t>(address);
  const std::uint32_t release = __atomic_fetch_add(&counter(where), 0, __ATOMIC_SEQ_CST);
  Acquired& last = remembered(where);
  if (last.where == where && last.release == release) return;
  tell(_VG_USERREQ__HG_USERSO_RECV_POST, VG_USERREQ__DRD_ANNOTATE_HAPPENS_AFTER, where);
  last = {where, release};
}

template <class T>
T load(const volatile T* where, int order) noexcept {
  const T value = __atomic_load_n(where, __ATOMIC_SEQ_CST);
  after(where, order);
  return value;
}

template <class T, class Operation>
T modify(volatile T* where, int order, Operation operation) noexcept {
  before(where, order);
  const T value = operation();
  after(where, order);
  return value;
}

template <class T>
int exchange_if(volatile T* where, T* expected, T desired, int success, int failure) noexcept {
  before(where, success);
  const bool done = __atomic_compare_exchange_n(where, expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  after(where, done ? success : failure);
  return done ? 1 : 0;
}

pthread_mutex_t guards = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t guard_changed = PTHREAD_COND_INITIALIZER;

void leave_guard(std::uint8_t* guard, std::uint8_t initialised) noexcept {
  pthread_mutex_lock(&guards);
  before(guard, __ATOMIC_RELEASE);
  __atomic_exchange_n(guard, initialised, __ATOMIC_SEQ_CST);
  guard[1] = 0;
  pthread_cond_broadcast(&guard_changed);
  pthread_mutex_unlock(&guards);
}

}  // namespace

extern "C" {

// Itanium ABI: the first byte says "initialised"; the second is ours: some thread is at it.
int __cxa_guard_acquire(std::uint8_t* guard) {
  pthread_mutex_lock(&guards);
  while (guard[0] == 0 && guard[1] != 0) pthread_cond_wait(&guard_changed, &guards);
  const bool mine = guard[0] == 0;
  if (mine) guard[1] = 1;
  pthread_mutex_unlock(&guards);
  return mine ? 1 : 0;
}
void __cxa_guard_release(std::uint8_t* guard) { leave_guard(guard, 1); }
void __cxa_guard_abort(std::uint8_t* guard) { leave_guard(guard, 0); }

int __real_pthread_attr_setstack(pthread_attr_t* attributes, void* lowest, std::size_t size);
int __wrap_pthread_attr_setstack(pthread_attr_t* attributes, void* lowest, std::size_t size) {
  VALGRIND_HG_CLEAN_MEMORY(lowest, size);
  return __real_pthread_attr_setstack(attributes, lowest, size);
}

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_read(void**) {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_read_range(void*, unsigned long) {}
void __tsan_write_range(void*, unsigned long) {}

#define ORDERS_ACCESS(bytes)                   \
  void __tsan_read##bytes(void*) {}            \
  void __tsan_write##bytes(void*) {}           \
  void __tsan_unaligned_read##bytes(void*) {}  \
  void __tsan_unaligned_write##bytes(void*) {} \
  void __tsan_volatile_read##bytes(void*) {}   \
  void __tsan_volatile_write##bytes(void*) {}
ORDERS_ACCESS(1)
ORDERS_ACCESS(2)
ORDERS_ACCESS(4)
ORDERS_ACCESS(8)
ORDERS_ACCESS(16)
#undef ORDERS_ACCESS

#define ORDERS_MODIFY(bits, T, name, builtin)                                               \
  T __tsan_atomic##bits##_##name(volatile T* where, T operand, int order) {                 \
    return modify(where, order, [&] { return builtin(where, operand, __ATOMIC_SEQ_CST); }); \
  }
#define ORDERS_ATOMIC(bits, T)                                                                              \
  T __tsan_atomic##bits##_load(const volatile T* where, int order) { return load(where, order); }           \
  void __tsan_atomic##bits##_store(volatile T* where, T value, int order) {                                 \
    modify(where, order, [&] { return __atomic_exchange_n(where, value, __ATOMIC_SEQ_CST); });              \
  }                                                                                                         \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile T* where, T* expected, T desired, int success, \
                                                    int failure) {                                          \
    return exchange_if(where, expected, desired, success, failure);                                         \
  }                                                                                                         \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile T* where, T* expected, T desired, int success,   \
                                                  int failure) {                                            \
    return exchange_if(where, expected, desired, success, failure);                                         \
  }                                                                                                         \
  ORDERS_MODIFY(bits, T, exchange, __atomic_exchange_n)                                                     \
  ORDERS_MODIFY(bits, T, fetch_add, __atomic_fetch_add)                                                     \
  ORDERS_MODIFY(bits, T, fetch_sub, __atomic_fetch_sub)                                                     \
  ORDERS_MODIFY(bits, T, fetch_and, __atomic_fetch_and)                                                     \
  ORDERS_MODIFY(bits, T, fetch_or, __atomic_fetch_or)                                                       \
  ORDERS_MODIFY(bits, T, fetch_xor, __atomic_fetch_xor)
ORDERS_ATOMIC(8, std::uint8_t)
ORDERS_ATOMIC(16, std::uint16_t)
ORDERS_ATOMIC(32, std::uint32_t)
ORDERS_ATOMIC(64, std::uint64_t)
#undef ORDERS_ATOMIC
#undef ORDERS_MODIFY

void __tsan_atomic_thread_fence(int) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
void __tsan_atomic_signal_fence(int) {}

}  // extern "C"
