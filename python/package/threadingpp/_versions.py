# SPDX-License-Identifier: MIT
"""What differs between the interpreters' `threading` modules, as one table.

Each row: name in the stdlib's module, name in `_core`, first version that has it, first version that has it no more.
"""

import sys

_ANY = (3, 0)
_NEVER = (4, 0)

_REPLACED = (
    ("Lock", "allocate_lock", _ANY, (3, 13)),  # a factory
    ("Lock", "lock", (3, 13), _NEVER),  # a class
    ("_LockType", "lock", (3, 13), _NEVER),
    ("_allocate_lock", "allocate_lock", _ANY, (3, 13)),
    ("_allocate_lock", "lock", (3, 13), _NEVER),
    ("_CRLock", "RLock", _ANY, _NEVER),  # what the factory RLock() makes
    ("Condition", "Condition", _ANY, _NEVER),
    ("Event", "Event", _ANY, _NEVER),
    ("Semaphore", "Semaphore", _ANY, _NEVER),
    ("BoundedSemaphore", "BoundedSemaphore", _ANY, _NEVER),
    ("Barrier", "Barrier", _ANY, _NEVER),
)

# Locks that the module made when it was imported. Each: name, the factory that makes its replacement.
_INTERNAL_LOCKS = (
    ("_active_limbo_lock", "allocate_lock", _ANY, (3, 10)),
    ("_active_limbo_lock", "RLock", (3, 10), _NEVER),
    ("_shutdown_locks_lock", "allocate_lock", (3, 8), (3, 13)),
)

# Names of `_thread` that stand for the same objects.
_THREAD_NAMES = (
    ("lock", "lock", (3, 13), _NEVER),
    ("LockType", "lock", _ANY, _NEVER),
    ("allocate_lock", "allocate_lock", _ANY, _NEVER),
    ("allocate", "allocate_lock", _ANY, _NEVER),
    ("RLock", "RLock", _ANY, _NEVER),
)


def _rows(table):
    here = sys.version_info[:2]
    return {name: core for name, core, first, end in table if first <= here < end}


def replaced():
    """{name in threading: name in _core} for the running interpreter."""
    return _rows(_REPLACED)


def internal_locks():
    return _rows(_INTERNAL_LOCKS)


def starter():
    """The name in threading of what makes an OS thread: looked up there at each start, as programs patch it."""
    return "_start_joinable_thread" if sys.version_info >= (3, 13) else "_start_new_thread"


def names_target():
    """Whether a Thread's default name tells its target."""
    return sys.version_info >= (3, 10)


def thread_names():
    """{name in _thread: name in _core}, for those who put our locks below the stdlib's own module."""
    return _rows(_THREAD_NAMES)
