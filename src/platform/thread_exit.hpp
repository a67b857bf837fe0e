// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <threading/detail/per_thread.hpp>

namespace threading::inline v1::platform {

// What runs when an OS thread that the library knows ends, whoever started it.
//   values   first: values of threading::local, whose destructors may use the whole library
//   gone     last of all, after the thread-local destructors of everybody else: leave the registry, let joiners go
enum class ExitStage : std::uint8_t { values, gone };
using ExitFunction = void (*)(detail::PerThread&) noexcept;

// Fills a slot. Called during initialisation of the room that owns it.
void on_thread_exit(ExitStage stage, ExitFunction function) noexcept;

// Makes the slots run at the end of the calling thread. Idempotent.
void arm_thread_exit(detail::PerThread& self) noexcept;

// The thread's token may name another thread from now on.
void give_back_thread_token(detail::PerThread& self) noexcept;

}  // namespace threading::inline v1::platform
