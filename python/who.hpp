// SPDX-License-Identifier: MIT
//
// Which Python thread a token of the core stands for. For dump().
#pragma once

#include <threading/detail/thread_token.hpp>

#include "interpreter.hpp"

namespace face {

// Remembers the calling thread. Once in a thread's life: its token never changes.
__attribute__((cold, noinline)) void introduce_thread();

inline void note_thread() {
  if (threading::detail::thread_token_hint() == 0) introduce_thread();
}

// get_ident() of the thread; 0 for one that never called us.
unsigned long ident_of(threading::detail::ThreadToken token);

// waits() -> [(ident, kind, address, ident of the holder, seconds so far, seconds left or None)], 0 for unknown idents.
PyObject* list_waits(PyObject*, PyObject*);

}  // namespace face
