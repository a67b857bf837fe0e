// SPDX-License-Identifier: MIT
//
// What the compiler calls for every plain access in code built with -fsanitize=thread. The sanitizer's own runtime
// is not linked; these are the lab's, so that every field of the library and of a scenario is checked for races
// and for use after free, without a wrapper around it. Operations of std::atomic, and the reference counts of
// shared_ptr, order; schedule points they are if the scenario says so.
//
// Initialisation of function-local statics is undone after each execution like every other global, so its guard must
// be the lab's too. And whatever ends the process inside an execution is a failure of that execution.
//
// Allocation on a fiber goes to that fiber's heap in Space.
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "futex.hpp"
#include "race.hpp"
#include "world.hpp"

using lab::Site;
using lab::detail::active_world;
using lab::detail::Rmw;
using lab::detail::Space;
using lab::detail::World;

namespace {

[[gnu::always_inline]] inline World* checking_world(std::uintptr_t address) noexcept {
  if (!Space::is_tracked(address)) return nullptr;
  World* const world = active_world();
  return world != nullptr && !world->outside ? world : nullptr;
}

[[gnu::always_inline]] inline void on_read(void* where, std::size_t size, const void* pc) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(where);
  if (World* const world = checking_world(address)) {
    world->memory.plain_read(world->self(), address, size, pc);
  }
}

[[gnu::always_inline]] inline void on_write(void* where, std::size_t size, const void* pc) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(where);
  if (World* const world = checking_world(address)) {
    world->memory.plain_write(world->self(), address, size, pc);
  }
}

// Orders this operation with all others on the same bytes; the caller then does it on the memory itself.
void on_atomic(const volatile void* where, unsigned size, const void* pc) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(where);
  World* const world = checking_world(address);
  if (world == nullptr) return;
  auto& location =
      world->memory.locate(world->self(), reinterpret_cast<const void*>(address), size, false, Site::at(pc));
  world->memory.modify(world->self(), location, Rmw::bit_or, 0, std::memory_order_acq_rel);
  world->progress();
}

// Whether the scenario wants this operation to be a schedule point, with its own order.
bool is_explored(const volatile void* where, unsigned size) noexcept {
  World* const world = checking_world(reinterpret_cast<std::uintptr_t>(where));
  return world != nullptr && world->setup().options->std_atomics &&
         !world->memory.has_other_size(const_cast<const void*>(where), size);
}

template <class T>
T hooked_load(const volatile T* where, int order, const void* pc) noexcept {
  if (is_explored(where, sizeof(T))) {
    return static_cast<T>(lab::detail::atomic_load(const_cast<const T*>(where), sizeof(T),
                                                   static_cast<std::memory_order>(order), Site::at(pc)));
  }
  on_atomic(where, sizeof(T), pc);
  return __atomic_load_n(where, __ATOMIC_RELAXED);
}

template <class T>
void hooked_store(volatile T* where, T value, int order, const void* pc) noexcept {
  if (is_explored(where, sizeof(T))) {
    lab::detail::atomic_store(const_cast<T*>(where), sizeof(T), value, static_cast<std::memory_order>(order),
                              Site::at(pc));
    return;
  }
  on_atomic(where, sizeof(T), pc);
  __atomic_store_n(where, value, __ATOMIC_RELAXED);
}

template <class T>
int hooked_exchange_if(volatile T* where, T* expected, T desired, int success, int failure, bool weak,
                       const void* pc) noexcept {
  if (is_explored(where, sizeof(T))) {
    std::uint64_t seen = *expected;
    const bool done = lab::detail::atomic_compare_exchange(const_cast<T*>(where), sizeof(T), seen, desired,
                                                           static_cast<std::memory_order>(success),
                                                           static_cast<std::memory_order>(failure), weak, Site::at(pc));
    if (!done) *expected = static_cast<T>(seen);
    return done ? 1 : 0;
  }
  on_atomic(where, sizeof(T), pc);
  return __atomic_compare_exchange_n(where, expected, desired, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

template <class T>
T hooked_modify(volatile T* where, Rmw how, T operand, int order, const void* pc) noexcept {
  if (is_explored(where, sizeof(T))) {
    return static_cast<T>(lab::detail::atomic_modify(const_cast<T*>(where), sizeof(T), how, operand,
                                                     static_cast<std::memory_order>(order), Site::at(pc)));
  }
  on_atomic(where, sizeof(T), pc);
  switch (how) {
    case Rmw::exchange: return __atomic_exchange_n(where, operand, __ATOMIC_RELAXED);
    case Rmw::add: return __atomic_fetch_add(where, operand, __ATOMIC_RELAXED);
    case Rmw::sub: return __atomic_fetch_sub(where, operand, __ATOMIC_RELAXED);
    case Rmw::bit_and: return __atomic_fetch_and(where, operand, __ATOMIC_RELAXED);
    case Rmw::bit_or: return __atomic_fetch_or(where, operand, __ATOMIC_RELAXED);
    case Rmw::bit_xor: break;
  }
  return __atomic_fetch_xor(where, operand, __ATOMIC_RELAXED);
}

}  // namespace

#define LAB_PC __builtin_return_address(0)

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_read(void** where) { on_read(where, sizeof(void*), LAB_PC); }
void __tsan_vptr_update(void** where, void*) { on_write(where, sizeof(void*), LAB_PC); }
void __tsan_read_range(void* where, unsigned long size) { on_read(where, size, LAB_PC); }
void __tsan_write_range(void* where, unsigned long size) { on_write(where, size, LAB_PC); }

#define LAB_ACCESS(bytes)                                                                  \
  void __tsan_read##bytes(void* where) { on_read(where, bytes, LAB_PC); }                  \
  void __tsan_write##bytes(void* where) { on_write(where, bytes, LAB_PC); }                \
  void __tsan_read_write##bytes(void* where) { on_write(where, bytes, LAB_PC); }           \
  void __tsan_unaligned_read##bytes(void* where) { on_read(where, bytes, LAB_PC); }        \
  void __tsan_unaligned_write##bytes(void* where) { on_write(where, bytes, LAB_PC); }      \
  void __tsan_unaligned_read_write##bytes(void* where) { on_write(where, bytes, LAB_PC); } \
  void __tsan_volatile_read##bytes(void* where) { on_read(where, bytes, LAB_PC); }         \
  void __tsan_volatile_write##bytes(void* where) { on_write(where, bytes, LAB_PC); }
LAB_ACCESS(1)
LAB_ACCESS(2)
LAB_ACCESS(4)
LAB_ACCESS(8)
LAB_ACCESS(16)
#undef LAB_ACCESS

#define LAB_FETCH(bits, T, name, how)                                       \
  T __tsan_atomic##bits##_##name(volatile T* where, T operand, int order) { \
    return hooked_modify<T>(where, Rmw::how, operand, order, LAB_PC);       \
  }
#define LAB_ATOMIC(bits, T)                                                                                         \
  T __tsan_atomic##bits##_load(const volatile T* where, int order) { return hooked_load<T>(where, order, LAB_PC); } \
  void __tsan_atomic##bits##_store(volatile T* where, T value, int order) {                                         \
    hooked_store<T>(where, value, order, LAB_PC);                                                                   \
  }                                                                                                                 \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile T* where, T* expected, T desired, int success,         \
                                                    int failure) {                                                  \
    return hooked_exchange_if<T>(where, expected, desired, success, failure, false, LAB_PC);                        \
  }                                                                                                                 \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile T* where, T* expected, T desired, int success,           \
                                                  int failure) {                                                    \
    return hooked_exchange_if<T>(where, expected, desired, success, failure, true, LAB_PC);                         \
  }                                                                                                                 \
  LAB_FETCH(bits, T, exchange, exchange)                                                                            \
  LAB_FETCH(bits, T, fetch_add, add)                                                                                \
  LAB_FETCH(bits, T, fetch_sub, sub)                                                                                \
  LAB_FETCH(bits, T, fetch_and, bit_and)                                                                            \
  LAB_FETCH(bits, T, fetch_or, bit_or)                                                                              \
  LAB_FETCH(bits, T, fetch_xor, bit_xor)
LAB_ATOMIC(8, std::uint8_t)
LAB_ATOMIC(16, std::uint16_t)
LAB_ATOMIC(32, std::uint32_t)
LAB_ATOMIC(64, std::uint64_t)
#undef LAB_ATOMIC
#undef LAB_FETCH

void __tsan_atomic_thread_fence(int) {
  if (World* const world = active_world()) {
    world->fail("the lab cannot see this", "a standalone fence");
  }
}
void __tsan_atomic_signal_fence(int) {}

// Itanium ABI: the first byte says "initialised"; the second is ours: some thread is at it.
int __cxa_guard_acquire(std::uint8_t* guard) {
  for (;;) {
    on_atomic(guard, 8, LAB_PC);
    if (guard[0] != 0) return 0;
    if (guard[1] == 0) break;
    lab::yield();
  }
  guard[1] = 1;
  return 1;
}
void __cxa_guard_release(std::uint8_t* guard) {
  guard[0] = 1;
  guard[1] = 0;
  on_atomic(guard, 8, LAB_PC);
}
void __cxa_guard_abort(std::uint8_t* guard) {
  guard[1] = 0;
  on_atomic(guard, 8, LAB_PC);
}

// Inside an execution: of the process under exploration.
int __cxa_atexit(void (*)(void*), void*, void*);
int atexit(void (*handler)()) {
  World* const world = active_world();
  if (world == nullptr) {
    return __cxa_atexit(reinterpret_cast<void (*)(void*)>(handler), nullptr, nullptr);
  }
  const lab::detail::Outside outside(*world);
  world->exit_handlers.push_back(handler);
  return 0;
}

void abort() {
  if (World* const world = active_world()) world->fail("abort", std::string(world->self().name) + " called abort()");
  signal(SIGABRT, SIG_DFL);
  raise(SIGABRT);
  _exit(134);
}

}  // extern "C"

namespace {

void* allocate(std::size_t size, std::size_t alignment) {
  World* const world = active_world();
  if (world != nullptr && !world->outside) {
    if (world->fault(lab::detail::Fault::allocation)) throw std::bad_alloc();
    return world->allocate(size, alignment);
  }
  void* const memory = alignment <= alignof(std::max_align_t)
                           ? std::malloc(size != 0 ? size : 1)
                           : std::aligned_alloc(alignment, (size + alignment - 1) & ~(alignment - 1));
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void* allocate_or_null(std::size_t size, std::size_t alignment) noexcept {
  try {
    return allocate(size, alignment);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void release(void* memory, const void* pc) noexcept {
  if (memory == nullptr) return;
  if (!Space::is_heap(reinterpret_cast<std::uintptr_t>(memory))) {
    std::free(memory);
    return;
  }
  if (World* const world = active_world()) world->release(memory, Site::at(pc));
}

constexpr std::size_t kDefaultAlignment = alignof(std::max_align_t);

}  // namespace

void* operator new(std::size_t size) { return allocate(size, kDefaultAlignment); }
void* operator new[](std::size_t size) { return allocate(size, kDefaultAlignment); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate_or_null(size, kDefaultAlignment);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return allocate_or_null(size, kDefaultAlignment);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { release(memory, LAB_PC); }
void operator delete[](void* memory) noexcept { release(memory, LAB_PC); }
void operator delete(void* memory, std::size_t) noexcept { release(memory, LAB_PC); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory, LAB_PC); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory, LAB_PC); }
void operator delete[](void* memory, std::align_val_t) noexcept { release(memory, LAB_PC); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory, LAB_PC); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { release(memory, LAB_PC); }
