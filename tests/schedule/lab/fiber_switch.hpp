// SPDX-License-Identifier: MIT
//
// Leaving one stack for another. Twelve instructions on x86-64; ucontext elsewhere.
#pragma once

#include <cstddef>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace lab::detail {

class Context {
 public:
  // Prepares a stack on which `entry(argument)` will run. Requires: entry never returns.
  void prepare(void* stack, std::size_t size, void (*entry)(void*), void* argument) noexcept;

  // Stores the running context in `from` and goes on where `to` was left.
  static void exchange(Context& from, Context& to) noexcept;

  // The lowest address in use on this stack while it is not running; null where unknown.
  const void* stack_pointer() const noexcept;

 private:
#if defined(__x86_64__)
  void* stack_pointer_ = nullptr;
#else
  ucontext_t context_;
#endif
};

}  // namespace lab::detail
