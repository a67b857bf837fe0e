// SPDX-License-Identifier: MIT
//
// Which Python thread a token of the core stands for. For dump().
#pragma once

#include <cstdint>

#include <threading/detail/deadline.hpp>
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

// The calling thread begins a piece of a wait: dump() shows the times of the whole for the piece that ends at `bound`.
// Only the main thread waits in pieces, so the note has room for one.
struct Piece {
  threading::Deadline bound = threading::Deadline::never();
  threading::Deadline whole = threading::Deadline::never();
  std::int64_t since = 0;  // nanoseconds of the monotonic clock
};
void note_piece(const Piece& piece);

// waits() -> [(ident, kind, address, ident of the holder, seconds so far, seconds left or None)], 0 for unknown idents.
PyObject* list_waits(PyObject*, PyObject*);

}  // namespace face
