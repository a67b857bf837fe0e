// SPDX-License-Identifier: MIT
//
// Stacks that are used again. The C library keeps 40 MiB of stacks, which is five of the usual size; a sixth thread
// that ends gives its stack back to the system, and the next one maps, guards and touches a new one. That costs more
// than the thread itself.
//
// Word     two lists of slots: `ready`, whose stack nobody uses, and `leaving`, whose thread was not joined and may not
//          be gone yet. A slot that is in neither has no stack, or a running thread's.
// Moves    take: from ready; else from leaving, if that thread is gone; else a slot never used gets a new mapping.
//          give back: → ready. leave: → leaving, by the thread itself.
// I1       A stack is ready only when no thread can touch it: after pthread_join(), or when the system does not know
//          the thread any more. The kernel writes to a thread's stack, where the C library keeps its descriptor, until
//          shortly before that.
// I2       There are kSlots stacks at most; threads beyond that have the C library's. What waits in `ready` keeps the
//          pages it has touched while it is one of the first kWarm, and kTop bytes otherwise.
// Orders   The lists order what the last owner of a slot wrote before what the next one reads.
// Fork     The child has the stacks that are ready. Those of all other threads stay mapped and are not used: something
//          that is in use may live there, and the child itself may run on one.
// Destroy  Never: threads may run until the process ends.
#include "platform/thread_stack.hpp"

#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include <threading/detail/backend.hpp>

#include "platform/slot_list.hpp"

namespace threading::inline v1::platform {
namespace {

using detail::backend::atomic;
using detail::backend::atomic_ref;

// More threads than this that come and go at once are rare, and 64 stacks of 8 MiB are half a GiB of addresses.
constexpr std::uint32_t kSlots = 65;  // slot 0 is none
// A larger stack is not kept: it may have been filled once.
constexpr std::size_t kLargest = std::size_t{16} << 20;
constexpr std::int32_t kWarm = 4;
// What most threads touch, and the C library keeps at the top. Bytes.
constexpr std::size_t kTop = std::size_t{32} << 10;

struct Slot {
  std::uint32_t next = 0;
  std::int32_t native_id = 0;  // of the thread that leaves it, and its process
  std::int32_t process = 0;
  char* mapping = nullptr;  // the guard is its lowest part
  std::size_t size = 0;     // without the guard
  std::size_t guard = 0;
};
constinit Slot slots[kSlots] = {};

atomic_ref<std::uint32_t> link(std::uint32_t slot) noexcept { return atomic_ref<std::uint32_t>(slots[slot].next); }

constinit SlotList<&link> ready;
constinit SlotList<&link> leaving;
constinit atomic<std::uint32_t> never_used{1};
constinit atomic<std::int32_t> ready_count{0};  // about

// A program may ask for stacks that can be executed, which the C library then makes, also for threads that exist.
bool finds_executable_stacks() noexcept {
  return dl_iterate_phdr(
             [](dl_phdr_info* object, std::size_t, void*) {
               for (int i = 0; i != object->dlpi_phnum; ++i) {
                 if (object->dlpi_phdr[i].p_type == PT_GNU_STACK && (object->dlpi_phdr[i].p_flags & PF_X) != 0)
                   return 1;
               }
               return 0;
             },
             nullptr) != 0;
}
const bool stacks_are_executable = finds_executable_stacks();

bool is_gone(const Slot& slot) noexcept {
  return syscall(SYS_tgkill, slot.process, slot.native_id, 0) != 0 && errno == ESRCH;
}

bool map_stack(Slot& slot, std::size_t size, std::size_t guard) noexcept {
  void* const mapping = mmap(nullptr, size + guard, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return false;
  if (guard != 0 && mprotect(mapping, guard, PROT_NONE) != 0) {
    munmap(mapping, size + guard);
    return false;
  }
  slot.mapping = static_cast<char*>(mapping);
  slot.size = size;
  slot.guard = guard;
  return true;
}

// Returns: 0 if no slot is left.
std::uint32_t take_slot() noexcept {
  if (const std::uint32_t slot = ready.pop()) {
    ready_count.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a hint
    return slot;
  }
  if (const std::uint32_t slot = leaving.pop()) {
    const bool is_of_this_process = slots[slot].process == getpid();
    if (is_of_this_process && is_gone(slots[slot])) return slot;
    if (is_of_this_process) leaving.push(slot);
  }
  // relaxed: only uniqueness matters.
  if (never_used.load(std::memory_order_relaxed) >= kSlots) return 0;
  const std::uint32_t slot = never_used.fetch_add(1, std::memory_order_relaxed);
  return slot < kSlots ? slot : 0;
}

}  // namespace

ThreadStack take_stack(std::size_t size, std::size_t guard) noexcept {
  if (size > kLargest || stacks_are_executable) return {};
  const std::uint32_t number = take_slot();
  if (number == 0) return {};
  Slot& slot = slots[number];
  if (slot.mapping != nullptr && (slot.size != size || slot.guard != guard)) {
    munmap(slot.mapping, slot.size + slot.guard);
    slot.mapping = nullptr;
    slot.size = 0;
  }
  if (slot.mapping == nullptr && !map_stack(slot, size, guard)) {
    give_back_stack(number);
    return {};
  }
  return {.slot = number, .lowest = slot.mapping + slot.guard, .size = slot.size};
}

void give_back_stack(std::uint32_t number) noexcept {
  const Slot& slot = slots[number];
  // relaxed: a hint.
  const bool is_warm = ready_count.fetch_add(1, std::memory_order_relaxed) < kWarm;
  if (!is_warm && slot.size > kTop) madvise(slot.mapping + slot.guard, slot.size - kTop, MADV_DONTNEED);
  ready.push(number);
}

void leave_stack(std::uint32_t number, std::int32_t native_id) noexcept {
  slots[number].native_id = native_id;
  slots[number].process = getpid();
  leaving.push(number);
}

}  // namespace threading::inline v1::platform
