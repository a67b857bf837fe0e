# SPDX-License-Identifier: MIT
"""Native Queue, LifoQueue, PriorityQueue and SimpleQueue with the whole interface of the module `queue`.

A put() and a get() cost a few dozen nanoseconds instead of microseconds, until a program asks a queue for its parts
(`mutex`, `not_empty`, `not_full`, `all_tasks_done`, `queue`): from then on that queue is run by the stdlib's own methods
on real locks and conditions, so that whoever holds the mutex is honoured. A subclass with hooks of its own (`_init`,
`_qsize`, `_put`, `_get`) works that way from the start.
"""

import heapq as _heapq
import queue as _stdlib
from collections import deque as _deque

from . import _core

Empty = _stdlib.Empty
Full = _stdlib.Full
__all__ = ["Empty", "Full", "Queue", "LifoQueue", "PriorityQueue", "SimpleQueue"]
if hasattr(_stdlib, "ShutDown"):
    ShutDown = _stdlib.ShutDown
    __all__.append("ShutDown")
else:

    class ShutDown(Exception):
        """put() or get() on a shared queue that C++ has shut down."""


_HOOKS = ("_init", "_qsize", "_put", "_get")
_REPLACED = ("Queue", "LifoQueue", "PriorityQueue", "SimpleQueue")
_saved = {}


def _make_parts(items, order):
    """mutex, not_empty, not_full, all_tasks_done, and the container that queues of this order keep their items in."""
    mutex = _core.allocate_lock()
    container = _deque(items) if order == 0 else items
    return (mutex, _core.Condition(mutex), _core.Condition(mutex), _core.Condition(mutex), container)


_core._queue_stdlib = {
    "make_parts": _make_parts,
    "heappush": _heapq.heappush,
    "heappop": _heapq.heappop,
    "Empty": Empty,
    "Full": Full,
    **{
        name: getattr(_stdlib.Queue, name)
        for name in ("__init__", "put", "get", "task_done", "join", "qsize", "empty", "full", "shutdown")
        if hasattr(_stdlib.Queue, name)
    },
}
_core._queue_stdlib["ShutDown"] = ShutDown

SimpleQueue = _core.SimpleQueue


def _mark(cls):
    """Notes whether a class has hooks of its own, or its own put() or get(): the core asks when it makes a queue."""
    base = next(each for each in cls.__mro__ if each.__dict__.get("_is_native"))
    cls._has_hooks = any(getattr(cls, name) is not getattr(base, name) for name in _HOOKS)
    cls._has_calls = cls.put is not _core.Queue.put or cls.get is not _core.Queue.get


class Queue(_core.Queue):
    """First in, first out; put() waits while there are `maxsize` items, if that is above zero."""

    _is_native = True
    _has_hooks = False
    _has_calls = False

    def __init_subclass__(cls, **arguments):
        super().__init_subclass__(**arguments)
        _mark(cls)

    def _init(self, maxsize):
        self.queue = _deque()

    def _qsize(self):
        return len(self.queue)

    def _put(self, item):
        self.queue.append(item)

    def _get(self):
        return self.queue.popleft()


class LifoQueue(_core.LifoQueue, Queue):
    """Last in, first out."""

    _is_native = True
    _has_hooks = False

    def _init(self, maxsize):
        self.queue = []

    def _get(self):
        return self.queue.pop()


class PriorityQueue(_core.PriorityQueue, Queue):
    """The smallest first."""

    _is_native = True
    _has_hooks = False

    def _init(self, maxsize):
        self.queue = []

    def _put(self, item):
        _heapq.heappush(self.queue, item)

    def _get(self):
        return _heapq.heappop(self.queue)


for _class in (Queue, LifoQueue, PriorityQueue):
    _class.__module__ = "queue"
    _class._has_hooks = False


def install():
    """Puts these classes into the module `queue`. Does nothing if they are there."""
    for name in _REPLACED:
        if hasattr(_stdlib, name) and name not in _saved:
            _saved[name] = getattr(_stdlib, name)
            setattr(_stdlib, name, globals()[name])


def uninstall():
    for name, value in _saved.items():
        setattr(_stdlib, name, value)
    _saved.clear()
