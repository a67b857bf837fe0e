// SPDX-License-Identifier: MIT
//
// Letting the interpreter's lock (the GIL) go and taking it back, at the right moment.
//
// Whoever sets an event or releases a lock does so with the GIL in hand, and often lets the GIL go only a moment later,
// when it waits itself. A waiter that spins on another processor sees the change at once; if it asked for the GIL at
// once, it would find it taken and fall asleep, and being woken costs a hundred times that moment. So it first waits,
// briefly, until it looks as if the GIL had been let go.
//
// CPython does not say whether the GIL is free, so threads leave a note here when they take it and when they let it go.
// The note is a hint: it knows nothing of those who take the GIL elsewhere, nor of interpreters with a GIL of their
// own. When it is wrong, a thread asks at once, as it would without it, or kPatience too late.
#pragma once

#include "interpreter.hpp"

namespace face {

// Both are plain calls, not noexcept: the second may not return (see without_gil.hpp). Requires: note_thread().
PyThreadState* let_gil_go();
void take_gil_back(PyThreadState* state);

// Signal handlers written in Python run on the main thread only. Elsewhere a wait need not notice signals.
bool is_main_thread();

}  // namespace face
