// SPDX-License-Identifier: MIT
#pragma once

#include <exception>

#include "threads/thread_state.hpp"

namespace threading::inline v1::threads {

// An exception has left run(): keeps it and calls the hook. Only a forced unwind leaves it.
void report(detail::ThreadState& state, std::exception_ptr failure);

}  // namespace threading::inline v1::threads
