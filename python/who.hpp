// SPDX-License-Identifier: MIT
//
// Which Python thread a token of the core stands for. For dump().
#pragma once

#include <atomic>
#include <cstdint>

#include <threading/detail/deadline.hpp>
#include <threading/detail/thread_token.hpp>

#include "interpreter.hpp"

namespace face {

// By the token's slot, which two living threads never share: the last token there whose thread is remembered. Zero
// pages until used; but the first, which is nobody's, never equals 0, the token of a thread that has none yet.
constexpr std::uint32_t kTokenSlots = 1u << 20;
extern std::atomic<threading::detail::ThreadToken> introduced[kTokenSlots];

// Remembers the calling thread.
__attribute__((cold, noinline)) void introduce_thread();

// Remembers the calling thread, unless it is known. It may have had its token from C++ long before. If an older thread
// had the same, 1024 threads of the slot ago, it is taken for that one.
inline void note_thread() {
  const threading::detail::ThreadToken token = threading::detail::thread_token_hint();
  // relaxed: written by this thread, or by one that had the slot before and has given it back.
  if (introduced[token % kTokenSlots].load(std::memory_order_relaxed) != token) introduce_thread();
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
