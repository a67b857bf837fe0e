# SPDX-License-Identifier: MIT
"""install() and uninstall(): the stdlib's module, in place.

All users of `threading` look its names up when they call, so that assigning them once reaches every library. What cannot
be reached are names that were taken out of the module before, and objects that were made before.
"""

import sys

from . import _core, _versions

_saved = {}  # name in threading -> what was there; empty while not installed
_bases = {}  # kind of thread -> what it derived from


def is_installed():
    """Whether `threading` uses this package now."""
    return bool(_saved)


def install(queue=False):
    """Makes `threading` use the core of threading++ in the whole process. Call it before other modules use threads.

    With `queue`, the classes of the module `queue` are replaced as well. Does nothing if installed already.
    Raises RuntimeError when threads run already, or when gevent or eventlet have replaced the module.
    """
    import threading

    if not _saved:
        _refuse_monkeys()
        if threading.active_count() > 1:
            raise RuntimeError(
                "threadingpp.install() must come before the first thread is started: threads that run already hold "
                "locks of the old kind; call it first of all, or run the program by `python -m threadingpp`"
            )
        _replace(threading)
    if queue:
        from . import queue as ours

        ours.install()


def uninstall():
    """Gives `threading` (and `queue`) back what was there. Objects made meanwhile go on working."""
    import threading

    if "threadingpp.queue" in sys.modules:
        sys.modules["threadingpp.queue"].uninstall()
    for name, value in _saved.items():
        setattr(threading, name, value)
    for kind, bases in _bases.items():
        kind.__bases__ = bases
    _bases.clear()
    _saved.clear()
    _core._originals.clear()


def _refuse_monkeys():
    gevent = sys.modules.get("gevent.monkey")
    eventlet = sys.modules.get("eventlet.patcher")
    name = None
    if gevent is not None and gevent.is_module_patched("threading"):
        name = "gevent"
    elif eventlet is not None and eventlet.is_monkey_patched("thread"):
        name = "eventlet"
    if name:
        raise RuntimeError(
            f"{name} has replaced `threading` by cooperative threads, which threadingpp.install() would undo; use one or "
            "the other"
        )


def _functions(threading):
    """What is made for one `threading` module, rather than taken from the core."""
    from . import _threads, _timer

    return {
        "Thread": _threads.Thread,
        "Timer": _timer.Timer,
        "current_thread": _core.make_current_thread(threading._active, threading._DummyThread),
    }


def _replace(threading):
    from . import _threads

    for name, core in _versions.replaced().items():
        _saved[name] = _core._originals[name] = getattr(threading, name)
        setattr(threading, name, getattr(_core, core))
    for name, ours in _functions(threading).items():
        _saved[name] = getattr(threading, name)
        setattr(threading, name, ours)
    _bases.update(_threads.adopt(_threads.Thread))
    _core._originals["BrokenBarrierError"] = threading.BrokenBarrierError
    # No other thread runs, so nobody holds what is swapped here.
    for name, core in _versions.internal_locks().items():
        setattr(threading, name, getattr(_core, core)())
    started = _core.Event()
    started.set()
    threading.main_thread()._started = started
