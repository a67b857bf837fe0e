# SPDX-License-Identifier: MIT
"""dump(): every thread, what it waits for, who holds that, and where in the program it is."""

import sys


def dump(file=None):
    """Writes to `file` (sys.stderr) one paragraph for each thread: its name, its state and its Python line.

    A thread that waits in an object of threading++ shows for what, since when, for how much longer, and who holds it.
    """
    import threading
    import traceback

    from . import _core

    out = sys.stderr if file is None else file
    frames = sys._current_frames()
    frames[threading.get_ident()] = sys._getframe(1)  # not this function
    waits = _core.waits()
    threads = {thread.ident: thread for thread in threading.enumerate()}
    by_ident = {wait[0]: wait for wait in waits if wait[0]}
    idents = list(threads) + [ident for ident in list(frames) + list(by_ident) if ident not in threads]
    for ident in dict.fromkeys(idents):
        thread = threads.get(ident)
        name = f"{thread.name}{' (daemon)' if thread.daemon else ''}" if thread else "thread without a Thread object"
        out.write(f"{name}, ident {ident}: {_state(ident, frames, by_ident, threads)}\n")
        if ident in frames:
            for line in traceback.format_stack(frames[ident])[-1:]:
                out.write(line if line.endswith("\n") else line + "\n")
    for wait in waits:
        if not wait[0]:
            out.write(f"thread of C++: {_describe(wait, threads)}\n")


def _state(ident, frames, by_ident, threads):
    if ident in by_ident:
        return _describe(by_ident[ident], threads)
    return "running" if ident in frames else "pending, without an OS thread"


def _describe(wait, threads):
    _, kind, address, holder, since, left = wait
    text = f"waits for {kind} at {address:#x}, {since:.3f} s so far"
    if left is not None:
        text += f", {max(left, 0):.3f} s left"
    if holder:
        text += f", held by {threads[holder].name if holder in threads else f'thread {holder}'}"
    return text
