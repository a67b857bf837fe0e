# SPDX-License-Identifier: MIT
"""A Timer that holds no OS thread while it is pending.

It is a Thread in every respect: alive, named, in enumerate(), joinable, kept by shutdown unless it is a daemon. One
sleeper waits for all of them; when a timer is due, the thread that it has been all along is really started. A subclass
with a run() of its own gets its thread at once, as ever; so does every timer in an interpreter that is not the main one:
such an interpreter ends only when it has no threads, and the sleeper would be one that nobody knows of.

What a pending timer has not: an entry in sys._current_frames(), and a native_id. Its ident is no thread's, and another
one once it fires.
"""

import _thread
import heapq
import itertools
import os
import threading as _stdlib
from heapq import heappush as _push
from time import monotonic as _now

from . import _core, _threads

_Thread = _threads.Thread
_start = _Thread.start
_set = _core.Event.set
_LINGER = 0.5  # seconds that the sleeper stays when nothing is pending
_LONGEST = 3600.0  # seconds of one sleep: far from what a wait cannot take

_lock = _core.RLock()  # a handler or __del__ may cancel while its thread schedules
_wake = _core.Event()
_heap = []  # [due, number, timer or None]
_FIRST_IDENT, _IDENTS, _IDENT_STEP = _core.pending_idents
_ident_numbers = itertools.count()
_numbers = itertools.count()
_state = {"sleeping": False, "cancelled": 0, "keeps_exit": False}


class _Finished(_core.Event):
    """The event `finished` of a timer: whoever sets it, cancels the timer."""

    timer = None

    def set(self):
        super().set()
        timer = self.timer
        if timer is not None:
            with _lock:
                timer._Timer__cancelled()


_Finished.__name__ = _Finished.__qualname__ = "Event"
_Finished.__module__ = "threading"


class Timer(_Thread):
    """Call a function after a number of seconds, unless cancel() comes first.

    t = Timer(30.0, f, args=None, kwargs=None)
    t.start()
    """

    __entry = None  # in the heap, while pending
    __left = None  # an event, once somebody waits for the timer to be pending no more
    __ended = False  # cancelled, or lost in a fork, while pending
    __pending_ident = None
    __hooks = None  # what settrace() and setprofile() had said when it was started: see Thread._bootstrap_inner()

    def __init__(self, interval, function, args=None, kwargs=None):
        _Thread.__init__(self)
        self.interval = interval
        self.function = function
        self.args = args if args is not None else []
        self.kwargs = kwargs if kwargs is not None else {}
        self.finished = _Finished()
        if self.__ended or self.__left is not None:  # of the life before, where a program makes a timer anew
            self.__ended, self.__left = False, None
        if self.__hooks is not None:
            self.__hooks = None

    def cancel(self):
        """Stop the timer, unless its function has been called already."""
        finished = self.finished
        if type(finished) is _Finished and finished.timer is self:
            with _lock:
                _set(finished)
                self.__cancelled()
        else:
            finished.set()

    def run(self):
        entry = self.__entry
        if entry is None:
            self.finished.wait(self.interval)  # an own thread, or called by hand
        else:
            with _lock:
                self.__leave()
        if not self.finished.is_set():
            self.function(*self.args, **self.kwargs)
        self.finished.set()

    def start(self):
        finished = self.finished if self._initialized else None
        if type(self).run is not Timer.run or type(finished) is not _Finished or self._started.is_set():
            return _Thread.start(self)
        if not _core.in_main_interpreter or _Thread.start is not _start:  # who has replaced it wants to see timers, too
            return _Thread.start(self)
        try:
            due = _now() + self.interval
            due < due
            in_range = self.interval <= _stdlib.TIMEOUT_MAX  # a NaN is not, and has no place in a heap
        except Exception:
            in_range = False
        if not in_range:
            return _Thread.start(self)  # whose run() will complain, as ever
        if finished.is_set():
            return _Thread.start(self)
        with _lock:
            self.__entry = entry = [due, next(_numbers), self]
            self._ident = self.__pending_ident = ident = _new_ident(self)
            self.__hooks = _stdlib._trace_hook, _stdlib._profile_hook
            _stdlib._active[ident] = self
            finished.timer = self
            self._started.set()
            _push(_heap, entry)
            if not _state["sleeping"]:
                _state["sleeping"] = True
                try:
                    if not _state["keeps_exit"]:
                        _keep_exit()
                    _thread.start_new_thread(_sleeper, ())
                except BaseException:
                    _state["sleeping"] = False
                    self.__leave()
                    self._ident = None
                    self._started.clear()
                    raise
            elif _heap[0] is entry:
                _wake.set()

    def join(self, timeout=None):
        if self.__entry is None and not self.__ended:
            return _Thread.join(self, timeout)
        if timeout is not None:
            timeout = max(timeout, 0)
            if not (self.__ended and _threads._HAS_LOCKS):  # up to 3.12 nobody looks at it closely any more then
                _core.allocate_lock().acquire(True, timeout)  # complains, as a thread's join() does
        with _lock:
            pending = self.__entry is not None
            if pending and self.__left is None:
                self.__left = _core.Event()
        if pending:
            if timeout is not None:
                end = _now() + timeout
            if not self.__left.wait(timeout):
                return None
            if timeout is not None:
                timeout = max(end - _now(), 0)
        return None if self.__ended else _Thread.join(self, timeout)

    def is_alive(self):
        if self.__entry is not None:
            return True
        return False if self.__ended else _Thread.is_alive(self)

    def __repr__(self):
        if not self.__ended:
            return _Thread.__repr__(self)
        daemon = " daemon" if self._daemonic else ""
        return f"<{type(self).__name__}({self._name}, stopped{daemon} {self._ident})>"

    def __leave(self):
        """Is pending no more, if it was. Requires: _lock."""
        entry = self.__entry
        if entry is not None:
            self.__entry = self.finished.timer = entry[2] = None
            if self._ident == self.__pending_ident:
                _stdlib._active.pop(self._ident, None)
            if self.__left is not None:
                self.__left.set()

    def __cancelled(self):
        """Requires: _lock."""
        entry = self.__entry
        if entry is None or entry[2] is None:
            return  # due: its thread is on its way, and will see `finished`
        self.__ended = True
        self.__leave()
        _state["cancelled"] = cancelled = _state["cancelled"] + 1
        if cancelled > 64 and cancelled * 2 > len(_heap):
            _heap[:] = [each for each in _heap if each[2] is not None]
            heapq.heapify(_heap)
            _state["cancelled"] = 0

    def __launch(self):
        """Starts the thread. Pending until that runs: join() must not look for it before it is there."""
        starter = getattr(_stdlib, _threads._STARTER)
        try:
            with _stdlib._active_limbo_lock:
                _stdlib._active.pop(self.__pending_ident, None)
                if starter is _threads._starter:
                    return self._start_core()
                _stdlib._limbo[self] = self
            self._leave_core()
            if _threads._HAS_LOCKS:
                starter(self._bootstrap, ())
            else:
                starter(self._bootstrap, handle=self._handle, daemon=self.daemon)
        except BaseException:
            with _stdlib._active_limbo_lock:
                _stdlib._limbo.pop(self, None)
            raise

    def __run_here(self):
        """The end of a timer that gets no thread because the process ends: what it would have done, by the sleeper."""
        ident = _thread.get_ident()
        _stdlib._active[ident] = self
        try:
            if not self.finished.is_set():
                self.function(*self.args, **self.kwargs)
            self.finished.set()
        except:
            self._invoke_excepthook(self)
        finally:
            _stdlib._active.pop(ident, None)
            self.__give_up()

    def __give_up(self):
        self.__ended = True
        with _lock:
            self.__leave()

    def __lost(self):
        self.__ended = True
        self.__entry = None
        self.finished.timer = None


Timer.__module__ = "threading"
if hasattr(_stdlib.Timer, "__firstlineno__"):  # as Thread's
    Timer.__firstlineno__ = _stdlib.Timer.__firstlineno__


def _new_ident(timer):
    """One that no thread and no other timer has. Requires: _lock."""
    if len(_heap) >= _IDENTS:
        return id(timer)  # taken as well, but not by zeros
    while True:
        ident = _FIRST_IDENT + next(_ident_numbers) % _IDENTS * _IDENT_STEP
        if ident not in _stdlib._active:
            return ident


def _due(now):
    """Takes the timers that are due out of the heap. Requires: _lock. Returns: them, and seconds until the next."""
    due = []
    while _heap and (_heap[0][2] is None or _heap[0][0] <= now):
        entry = heapq.heappop(_heap)
        timer, entry[2] = entry[2], None
        if timer is None:
            _state["cancelled"] -= 1
        else:
            due.append(timer)
    return due, (_heap[0][0] - now if _heap else None)


def _sleeper():
    while True:
        with _lock:
            _wake.clear()
            due, wait = _due(_now())
        for timer in due:
            try:
                timer._Timer__launch()
            except RuntimeError:
                if _stdlib.main_thread().is_alive():
                    import sys

                    sys.excepthook(*sys.exc_info())
                    timer._Timer__give_up()
                else:  # 3.12 starts no more threads then
                    timer._Timer__run_here()
        if due:
            timer = None
            continue
        if not _wake.wait(_LINGER if wait is None else min(wait, _LONGEST)) and wait is None:
            with _lock:
                if not _heap:
                    _state["sleeping"] = False
                    return


def _pending(daemons=False):
    with _lock:
        return [entry[2] for entry in _heap if entry[2] is not None and (daemons or not entry[2].daemon)]


def _keep_exit():
    """Makes shutdown wait for pending timers, as for threads."""
    _state["keeps_exit"] = True
    original = _stdlib._shutdown

    def _shutdown():
        original()
        waiting = _pending()
        while waiting:
            for timer in waiting:
                timer.join()
            timer = None
            _join_threads()
            waiting = _pending()

    _stdlib._shutdown = _shutdown


def _join_threads():
    """Those that timers have started: the stdlib's _shutdown() does its work once."""
    if hasattr(_stdlib, "_thread_shutdown"):
        _stdlib._thread_shutdown()
        return
    while getattr(_stdlib, "_shutdown_locks", None):
        locks = list(_stdlib._shutdown_locks)
        _stdlib._shutdown_locks.clear()
        for lock in locks:
            lock.acquire()
            lock.release()


def _after_fork():
    """In the child nobody else is left, pending timers included."""
    lost = [entry[2] for entry in _heap if entry[2] is not None]
    _heap.clear()
    _state.update(sleeping=False, cancelled=0)
    getattr(_lock, "_at_fork_reinit", lambda: None)()
    for timer in lost:
        timer._Timer__lost()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
