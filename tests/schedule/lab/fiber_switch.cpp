// SPDX-License-Identifier: MIT
#include "fiber_switch.hpp"

#include <cstdint>

namespace lab::detail {

#if defined(__x86_64__)

// System V ABI: rbx, rbp and r12-r15 belong to the caller; all else is dead across a call. The x87 and SSE control
// words are not exchanged: nothing here changes them.
extern "C" void lab_context_exchange(void** from, void* to) noexcept;
extern "C" void lab_context_start() noexcept;

asm(R"(
.text
.globl lab_context_exchange
.type lab_context_exchange, @function
lab_context_exchange:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size lab_context_exchange, .-lab_context_exchange

.globl lab_context_start
.type lab_context_start, @function
lab_context_start:
  .cfi_startproc
  .cfi_undefined rip
  movq %r13, %rdi
  xorl %ebp, %ebp
  callq *%r12
  ud2
  .cfi_endproc
.size lab_context_start, .-lab_context_start
)");

void Context::prepare(void* stack, std::size_t size, void (*entry)(void*), void* argument) noexcept {
  auto top = reinterpret_cast<std::uintptr_t>(stack) + size;
  top &= ~std::uintptr_t{15};
  auto* slot = reinterpret_cast<std::uintptr_t*>(top);
  // Popped by lab_context_exchange in this order: r15 r14 r13 r12 rbx rbp, then the return address. The word above
  // it leaves the stack 16-byte aligned at the call in lab_context_start.
  *--slot = 0;
  *--slot = 0;
  *--slot = reinterpret_cast<std::uintptr_t>(&lab_context_start);
  *--slot = 0;
  *--slot = 0;
  *--slot = reinterpret_cast<std::uintptr_t>(entry);
  *--slot = reinterpret_cast<std::uintptr_t>(argument);
  *--slot = 0;
  *--slot = 0;
  stack_pointer_ = slot;
}

void Context::exchange(Context& from, Context& to) noexcept {
  lab_context_exchange(&from.stack_pointer_, to.stack_pointer_);
}

const void* Context::stack_pointer() const noexcept { return stack_pointer_; }

#else

namespace {

void enter(unsigned entry_high, unsigned entry_low, unsigned argument_high, unsigned argument_low) {
  const auto join = [](unsigned high, unsigned low) {
    return static_cast<std::uintptr_t>((static_cast<std::uint64_t>(high) << 32) | low);
  };
  reinterpret_cast<void (*)(void*)>(join(entry_high, entry_low))(
      reinterpret_cast<void*>(join(argument_high, argument_low)));
}

}  // namespace

void Context::prepare(void* stack, std::size_t size, void (*entry)(void*), void* argument) noexcept {
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack;
  context_.uc_stack.ss_size = size;
  context_.uc_link = nullptr;
  const auto code = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(entry));
  const auto data = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(argument));
  makecontext(&context_, reinterpret_cast<void (*)()>(&enter), 4, static_cast<unsigned>(code >> 32),
              static_cast<unsigned>(code), static_cast<unsigned>(data >> 32), static_cast<unsigned>(data));
}

void Context::exchange(Context& from, Context& to) noexcept { swapcontext(&from.context_, &to.context_); }

const void* Context::stack_pointer() const noexcept { return nullptr; }

#endif

}  // namespace lab::detail
