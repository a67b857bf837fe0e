# SPDX-License-Identifier: MIT
"""Thread, over a thread of the core.

It is the stdlib's Thread in everything but how it starts, ends and is joined. The OS thread comes from `_thread`, which
one C call asks for, and which registers the Thread before anybody else can run. start() then waits, as the stdlib's
does, until the thread has begun: programs count on it. The handle says when the thread has ended, and is waited for
without the GIL.

A thread that is started in another way (the main thread, dummies, a `_thread` that somebody has patched) is left to the
stdlib's own methods.
"""

import sys as _sys
import threading as _stdlib
from _thread import get_ident as _get_ident

from . import _core, _versions

_Base = _stdlib.Thread
_ThreadHandle = _core.ThreadHandle
_STARTER = _versions.starter()
_starter = getattr(_stdlib, _STARTER)
_HAS_LOCKS = hasattr(_stdlib, "_shutdown_locks")  # up to 3.12: a lock for each thread, and those that exit waits for
_names_target = _versions.names_target()
_allows_daemons = getattr(_stdlib, "_daemon_threads_allowed", None)
_excepthook, _sys_excepthook = _stdlib.excepthook, _sys.excepthook  # as _invoke_excepthook below has found them
_kept = {"locks": 64}  # how many _shutdown_locks may be before they are looked through


class Thread(_Base):
    __doc__ = _Base.__doc__

    _core_handle = None  # of threads that were made before, and of those that are not initialised
    _ident = _native_id = None
    _Timer__hooks = None  # a Timer's own
    if _HAS_LOCKS:
        _tstate_lock = None
        _is_stopped = False

    def __init__(self, group=None, target=None, name=None, args=(), kwargs=None, *, daemon=None):
        assert group is None, "group argument must be None for now"
        if name:
            name = str(name)
        else:
            name = f"Thread-{_stdlib._counter()}"
            if _names_target and target is not None:
                try:
                    name = f"{name} ({target.__name__})"
                except AttributeError:
                    pass
        if daemon is None:
            daemon = _stdlib.current_thread().daemon
        elif daemon and _allows_daemons is not None and not _allows_daemons():
            _Base.__init__(self, daemon=daemon)  # raises
        if self._ident is not None:  # of the life before, where a program makes a thread anew
            self._ident = self._native_id = None
            self.__dict__.pop("_invoke_excepthook", None)
            if _HAS_LOCKS:
                self._is_stopped = False
        self._target = target
        self._name = name
        self._args = args
        self._kwargs = {} if kwargs is None else kwargs
        self._daemonic = daemon
        self._core_handle = handle = _ThreadHandle(daemon)
        if not _HAS_LOCKS:
            self._handle = handle
        self._started = _core.Event()
        self._initialized = True
        self._stderr = _sys.stderr
        if _stdlib.excepthook is not _excepthook or _sys.excepthook is not _sys_excepthook:
            self._invoke_excepthook = _stdlib._make_invoke_excepthook()  # remembers these
        _stdlib._dangling.add(self)

    __init__.__doc__ = _Base.__init__.__doc__

    # The stdlib makes one for each thread, so that it can be called when modules are half gone, and remembers the hooks.
    # So does this one, while they are what they were.
    _invoke_excepthook = staticmethod(_stdlib._make_invoke_excepthook())

    def start(self):
        if not self._initialized:
            raise RuntimeError("thread.__init__() not called")
        if self._started.is_set():
            raise RuntimeError("threads can only be started once")
        if getattr(_stdlib, _STARTER) is not _starter:
            self._leave_core()
            return _Base.start(self)
        self._start_core()
        self._started.wait()

    start.__doc__ = _Base.start.__doc__

    if _HAS_LOCKS:

        def _start_core(self):
            handle = self._core_handle
            daemon = self._daemonic
            if handle.is_started():
                raise RuntimeError("threads can only be started once")
            self._tstate_lock = handle
            try:
                handle._start(_starter, self, _stdlib._active, daemon)
            except BaseException:
                if not handle.is_started():
                    self._tstate_lock = None
                raise
            # Whoever starts a thread while the process ends is waited for, and so is what it has started by then.
            if not daemon:
                with _stdlib._shutdown_locks_lock:
                    _stdlib._shutdown_locks.add(handle)
                    if len(_stdlib._shutdown_locks) > _kept["locks"]:
                        _forget_ended()

        def _leave_core(self):
            """Before the thread is started by what knows nothing of the core."""

        def _settle(self):
            """What the stdlib remembers of a thread that has ended."""
            if self._is_stopped:
                return
            self._is_stopped = True
            self._tstate_lock = None
            if not self._daemonic:
                with _stdlib._shutdown_locks_lock:
                    _stdlib._shutdown_locks.discard(self._core_handle)

        def _reset_internal_locks(self, is_alive):
            if is_alive and self._tstate_lock is self._core_handle is not None:
                is_alive = False  # the core knows that this thread goes on
                lock, stopped = self._tstate_lock, self._is_stopped
                _Base._reset_internal_locks(self, is_alive)
                self._tstate_lock, self._is_stopped = lock, stopped
            else:
                _Base._reset_internal_locks(self, is_alive)

    else:

        def _start_core(self):
            self._core_handle._start(_starter, self, _stdlib._active, self._daemonic)

        def _leave_core(self):
            self._handle = _stdlib._ThreadHandle()

        def _settle(self):
            pass

    def _bootstrap_inner(self):
        handle = self._core_handle
        if handle is None or not handle.is_started():
            return _Base._bootstrap_inner(self)
        try:
            self._started.set()
            trace, profile = self._Timer__hooks or (_stdlib._trace_hook, _stdlib._profile_hook)
            if trace:
                _sys.settrace(trace)
            if profile:
                _sys.setprofile(profile)
            try:
                self.run()
            except:
                self._invoke_excepthook(self)
        finally:
            self._delete()

    def join(self, timeout=None):
        if not self._initialized:
            raise RuntimeError("Thread.__init__() not called")
        handle = self._core_handle
        if handle is None or not handle.is_started():
            return _Base.join(self, timeout)
        if timeout is None:
            handle.join()
            self._settle()
        else:
            timeout = max(timeout, 0)
            if not (_HAS_LOCKS and self._is_stopped):  # up to 3.12 nobody looks at the timeout then
                handle.join(timeout)
            if not handle.is_alive():
                self._settle()

    join.__doc__ = _Base.join.__doc__

    def is_alive(self):
        assert self._initialized, "Thread.__init__() not called"
        handle = self._core_handle
        if handle is None or not handle.is_started():
            return _Base.is_alive(self)
        if handle.is_alive():
            return True
        self._settle()
        return False

    is_alive.__doc__ = _Base.is_alive.__doc__

    @property
    def native_id(self):
        assert self._initialized, "Thread.__init__() not called"
        if self._native_id is None and self._core_handle is not None:
            self._native_id = self._core_handle.native_id()
        return self._native_id

    native_id.__doc__ = _Base.native_id.__doc__


def _forget_ended():
    """Drops the locks of threads that nobody has joined. Requires: _shutdown_locks_lock."""
    ended = [lock for lock in _stdlib._shutdown_locks if not lock.locked()]
    _stdlib._shutdown_locks.difference_update(ended)
    _kept["locks"] = 2 * len(_stdlib._shutdown_locks) + 64


Thread.__module__ = "threading"
if hasattr(_Base, "__firstlineno__"):  # 3.13: where inspect looks for it in that module
    Thread.__firstlineno__ = _Base.__firstlineno__
for _function in vars(Thread).values():
    if hasattr(_function, "__qualname__"):
        _function.__module__ = "threading"


def adopt(thread_class):
    """Makes the stdlib's own kinds of threads derive from `thread_class`. Returns: what they derived from."""
    before = {}
    for kind in (_stdlib._MainThread, _stdlib._DummyThread):
        before[kind] = kind.__bases__
        kind.__bases__ = (thread_class,)
    return before

