# SPDX-License-Identifier: MIT
"""threading++ for Python: the standard library's `threading`, on a faster core.

    import threadingpp
    threadingpp.install()           # before anything else: every user of `threading` follows

    from threadingpp import threading    # or: the complete module under this name, nothing else changes

    python -m threadingpp script.py      # or: an unmodified program

Importing this package alone changes nothing, and does not even import `threading`.
"""

# Name -> submodule that has it. Loaded on first use: the package is imported at start-up in child processes.
_LAZY = {
    "install": "_install",
    "uninstall": "_install",
    "is_installed": "_install",
    "dump": "_dump",
    "Queue": "queue",
    "LifoQueue": "queue",
    "PriorityQueue": "queue",
    "SimpleQueue": "queue",
    "threading": None,
    "queue": None,
}

__all__ = sorted([*_LAZY, "shared"])
__version__ = "1.0.0"


def shared(name, *number):
    """An object that C++ may own as well (threading/python.hpp): shared("Event"), shared("Semaphore", 3) …

    Kinds: lock (or Lock), RLock, Condition (over a shared RLock), Event, Semaphore, BoundedSemaphore, Barrier, Queue
    (its number is maxsize).
    """
    from . import _core

    return _core.shared("lock" if name == "Lock" else name, *number)


def __getattr__(name):
    try:
        submodule = _LAZY[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    from importlib import import_module

    module = import_module("." + (submodule or name), __name__)
    return getattr(module, name) if submodule else module


def __dir__():
    return sorted(set(globals()) | set(_LAZY))
