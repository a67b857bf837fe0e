#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Misuse: the same wrong call on the stdlib and on threading++ raises the same type with the same text.

Each row is an expression over `t`, a threading module. What an expression returns is compared as well.
"""

import _thread
import copy
import pickle
import re
import subprocess
import sys
import threading as stdlib
import time
import unittest
import warnings
from decimal import Decimal
from fractions import Fraction

from threadingpp import threading as ours

from misuse_rows import CAMEL, FROM_3_13, FROM_3_14, RELEASES, ROWS, SHOWN

NAN, INF = float("nan"), float("inf")

# What the last functions of a process may not do, with the outcome printed.
ATTEMPT = """
import atexit, threading
def attempt(call):
    try: print(call())
    except BaseException as error: print(type(error).__name__, error)
"""
AT_EXIT = {
    "start a thread": ATTEMPT + "atexit.register(attempt, lambda: threading.Thread(target=int).start())",
    "start a timer": ATTEMPT + "atexit.register(attempt, lambda: threading.Timer(0, int).start())",
    "register a function": ATTEMPT + "atexit.register(attempt, lambda: threading._register_atexit(int))",
}

# What another interpreter of the process may forbid, with the outcome printed.
IN_INTERPRETER = """
import sys
try: import _interpreters as interpreters
except ImportError: import _xxsubinterpreters as interpreters

def create(isolated):
    if sys.version_info >= (3, 13): return interpreters.create('isolated' if isolated else 'legacy')
    if sys.version_info >= (3, 9): return interpreters.create(isolated=isolated)
    return interpreters.create()

for isolated in (False, True):
    one = create(isolated)
    interpreters.run_string(one, 'import sys; sys.path[:] = %r' % sys.path + CODE)
    interpreters.destroy(one)
"""
CODE = ATTEMPT + """
import functools
print = functools.partial(print, flush=True)

def start(**options):
    thread = threading.Thread(target=int, **options)
    thread.start()
    thread.join()
    return thread.daemon, thread.is_alive()

def start_late_daemon():
    thread = threading.Thread(target=int)
    thread.daemon = True
    thread.start()
    thread.join()
    return thread.daemon, thread.is_alive()

attempt(lambda: threading.Thread(daemon=True).daemon)
attempt(lambda: setattr(threading.Thread(), 'daemon', True))
attempt(start)
attempt(lambda: start(daemon=True))
attempt(start_late_daemon)
attempt(lambda: threading.current_thread().daemon)
"""


def held(lock):
    lock.acquire()
    return lock


def aborted(barrier):
    barrier.abort()
    return barrier


def started(t):
    thread = t.Thread(target=int)
    thread.start()
    thread.join()
    return thread


def ended(t):
    """A thread that is over, which nobody has joined or asked."""
    thread = t.Thread(target=int)
    thread.start()
    if sys.version_info < (3, 13):
        thread._tstate_lock.acquire()
        thread._tstate_lock.release()
    else:
        thread._handle.join()
    return thread


def in_thread(t, call):
    """What the call does in a thread of its own: the exception that it raises there."""
    raised = []

    def run():
        try:
            call()
        except Exception as error:
            raised.append(error)
    thread = t.Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def while_one_waits(t, act, action=None):
    """What the thread that waits at a barrier of two gets when `act(barrier)` happens, what the actor gets, and whether
    the barrier is broken."""
    barrier = t.Barrier(2, action)
    got = []

    def attempt(call):
        try:
            return str(call())
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    thread = t.Thread(target=lambda: got.append(attempt(barrier.wait)))
    thread.start()
    while barrier.n_waiting == 0 and not got:
        time.sleep(0)
    acted = attempt(lambda: act(barrier))
    thread.join()
    return str((got, acted, barrier.broken))


def while_alive(t, act):
    event = t.Event()
    thread = t.Thread(target=event.wait)
    thread.start()
    try:
        return act(thread)
    finally:
        event.set()
        thread.join()


def dummy(t):
    """The Thread that stands for one started by `_thread`, which has ended."""
    found, ended = [], _thread.allocate_lock()
    ended.acquire()

    def run():
        found.append(t.current_thread())
        ended.release()
    _thread.start_new_thread(run, ())
    ended.acquire()
    return found[0]


def start_without_memory(t):
    """Starts a thread whose stack nobody can give; it must be neither alive nor half alive afterwards."""
    old = t.stack_size(1 << 46)
    thread = t.Thread(target=int)
    try:
        thread.start()
    finally:
        t.stack_size(old)
        assert not thread.is_alive() and thread not in t.enumerate() and thread.ident is None


def simplify(text):
    """Without what differs in each run, and without the names of classes before a method."""
    text = re.sub(r"0x[0-9a-f]+", "0x", text)
    text = re.sub(r"\b(Thread|Timer)-\d+", r"\1-N", text)
    text = re.sub(r"\b\d{12,}\b", "ident", text)
    return re.sub(r"\b\w+\.(\w+\(\))", r"\1", text)


def outcome(row, module, show=simplify):
    space = {**globals(), "t": module}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value = eval(row, space)
            if callable(getattr(value, "cancel", None)):
                value.cancel()
            result = simplify(repr(value)) if isinstance(value, (int, str, type(None), dict)) else type(value).__name__
        except Exception as error:
            result = f"{type(error).__name__}: {show(str(error))}"
    return result, [(each.category.__name__, str(each.message)) for each in caught]


# What Python makes up about the parameters of a function depends on whether it is written in C.
SIGNATURE = re.compile(r"argument|positional|takes|keyword|expected|missing|subscript|supported between|base type|index|integer|real number|float")


class Misuse(unittest.TestCase):
    def compare(self, row):
        theirs, their_warnings = outcome(row, stdlib)
        mine, my_warnings = outcome(row, ours)
        if theirs != mine and theirs.startswith("TypeError") and mine.startswith("TypeError") and SIGNATURE.search(theirs):
            return
        self.assertEqual(mine, theirs)
        self.assertEqual(my_warnings, their_warnings)

    def test_rows(self):
        rows = ROWS + CAMEL.split("\n")[1:-1]
        if sys.version_info >= (3, 9):
            rows = rows + RELEASES.split("\n")[1:-1]
        if sys.version_info >= (3, 13):
            rows = rows + FROM_3_13.split("\n")[1:-1]
        if sys.version_info >= (3, 14):
            rows = rows + FROM_3_14.split("\n")[1:-1]
        for row in rows:
            with self.subTest(row):
                self.compare(row)

    def test_rows_at_the_end_of_the_process(self):
        for name, script in AT_EXIT.items():
            with self.subTest(name):
                mine, theirs = (
                    subprocess.run([sys.executable, "-W", "ignore", "-c", begin + script], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, timeout=60).stdout
                    for begin in ("import threadingpp; threadingpp.install()\n", ""))
                self.assertEqual(mine, theirs)
                self.assertTrue(theirs)

    def test_rows_in_other_interpreters(self):
        mine, theirs = (
            subprocess.run([sys.executable, "-W", "ignore", "-c", f"CODE = {begin + CODE!r}\n" + IN_INTERPRETER],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
            for begin in ("\nimport threadingpp; threadingpp.install()\n", "\n"))
        self.assertEqual((mine.stdout, mine.returncode), (theirs.stdout, theirs.returncode))
        self.assertEqual(len(theirs.stdout.splitlines()), 12, theirs.stdout)

    def test_repr(self):
        for row in SHOWN.split("\n")[1:-1]:
            with self.subTest(row):
                text = f"repr({row})"
                self.assertEqual(simplify(eval(text, {**globals(), "t": ours})),
                                 simplify(eval(text, {**globals(), "t": stdlib})))

    def test_nothing_changes_after_an_error(self):
        bounded = ours.BoundedSemaphore(2)
        self.assertRaises(ValueError, bounded.release)
        self.assertEqual(bounded._value, 2)
        lock = ours.RLock()
        with lock:
            thread = ours.Thread(target=lambda: self.assertRaises(RuntimeError, lock.release))
            thread.start()
            thread.join()
            self.assertTrue(lock._is_owned())

    def test_an_rlock_that_cannot_count_further_says_so_however_it_is_asked(self):
        lock = ours.RLock()
        lock.acquire()
        owner = lock._release_save()[1]
        lock._acquire_restore((2**32 - 1, owner))
        for bound in (), (True,), (False,), (True, 0.01):
            with self.subTest(bound):
                self.assertRaises(OverflowError, lock.acquire, *bound)

    def test_complete(self):
        self.assertEqual(sorted(ours.__all__), sorted(stdlib.__all__))
        for name in stdlib.__all__:
            self.assertTrue(hasattr(ours, name), name)


if __name__ == "__main__":
    unittest.main()
