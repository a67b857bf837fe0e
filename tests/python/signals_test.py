#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Signal handlers and every call that blocks: one that raises ends the wait and leaves nothing behind, one that returns
leaves the wait to its original deadline. The signals come at all distances from the beginning of the wait, so that they
meet the thread before it spins, while it spins, and while it sleeps."""

import faulthandler
import os
import signal
import sys
import time
import unittest

import threadingpp
import threadingpp.queue as q
from threadingpp import _core
from threadingpp import threading as t

DISTANCES = [1e-6, 3e-6, 6e-6, 10e-6, 15e-6, 20e-6, 30e-6, 40e-6, 60e-6, 100e-6, 300e-6, 2e-3]  # seconds
TIMEOUT = 0.05


class Stop(Exception):
    pass


class Scene:
    """Something to wait for that does not happen; `wait(timeout)` waits, `check(case)` looks at what is left."""

    def check(self, case):
        pass

    def close(self):
        pass


class Held(Scene):
    """A lock that another thread holds."""

    def __init__(self, make, with_statement=False):
        self.lock, self.with_statement = make(), with_statement
        self.go, ready = t.Event(), t.Event()

        def hold():
            with self.lock:
                ready.set()
                self.go.wait()
        self.holder = t.Thread(target=hold)
        self.holder.start()
        ready.wait()

    def wait(self, timeout):
        if self.with_statement:
            with self.lock:
                return True
        return self.lock.acquire(timeout=-1 if timeout is None else timeout)

    def check(self, case):
        # Still its holder's, and whole: it can be had once the holder lets go.
        case.assertFalse(self.lock.acquire(False))
        self.close()
        case.assertTrue(self.lock.acquire(False))
        self.lock.release()

    def close(self):
        self.go.set()
        self.holder.join()


class OverLock(Scene):
    def __init__(self, lock, use_wait_for=False):
        self.lock, self.use_wait_for = lock, use_wait_for
        self.condition = t.Condition(lock)

    def wait(self, timeout):
        with self.condition:
            if self.use_wait_for:
                return self.condition.wait_for(lambda: False, timeout)
            return self.condition.wait(timeout)

    def check(self, case):
        case.assertEqual(len(self.condition._waiters), 0)
        case.assertTrue(self.lock.acquire(False))
        self.lock.release()


class Plain(Scene):
    """An object, its call that waits, and what must be true of it afterwards."""

    def __init__(self, thing, wait, left=lambda thing: True):
        self.thing, self.wait_for_it, self.left = thing, wait, left

    def wait(self, timeout):
        return self.wait_for_it(self.thing, timeout)

    def check(self, case):
        case.assertTrue(self.left(self.thing))


class Joined(Scene):
    def __init__(self):
        self.go = t.Event()
        self.thread = t.Thread(target=self.go.wait)
        self.thread.start()

    def wait(self, timeout):
        self.thread.join(timeout)
        return not self.thread.is_alive()

    def check(self, case):
        if sys.version_info >= (3, 13):  # before, join() that is broken off takes the thread for dead
            case.assertTrue(self.thread.is_alive())

    def close(self):
        self.go.set()
        self.thread.join()


def full(make):
    queue = make(1)
    queue.put(0)
    return queue


def get(queue, timeout):
    try:
        return queue.get(timeout=timeout)
    except q.Empty:
        return False


def put(queue, timeout):
    try:
        return queue.put(1, timeout=timeout)
    except q.Full:
        return False


def pass_barrier(barrier, timeout):
    try:
        return barrier.wait(timeout)
    except t.BrokenBarrierError:
        return False


SCENES = {
    "Lock.acquire": lambda: Held(t.Lock),
    "RLock.acquire": lambda: Held(t.RLock),
    "Condition.wait": lambda: OverLock(t.RLock()),
    "Condition.wait over a Lock": lambda: OverLock(t.Lock()),
    "Condition.wait_for": lambda: OverLock(t.RLock(), True),
    "Event.wait": lambda: Plain(t.Event(), lambda e, timeout: e.wait(timeout), lambda e: not e.is_set()),
    "Semaphore.acquire": lambda: Plain(t.Semaphore(0), lambda s, timeout: s.acquire(timeout=timeout),
                                       lambda s: s._value == 0 and s.release() is None and s.acquire(False)),
    "BoundedSemaphore.acquire": lambda: Plain(drained(), lambda s, timeout: s.acquire(timeout=timeout),
                                              lambda s: s.release() is None and s._value == 1),
    "Queue.get": lambda: Plain(q.Queue(), get, lambda one: one.put(7) is None and one.get_nowait() == 7),
    "Queue.put": lambda: Plain(full(q.Queue), put, lambda one: one.get_nowait() == 0 and one.empty()),
    "LifoQueue.get": lambda: Plain(q.LifoQueue(), get, lambda one: one.empty()),
    "PriorityQueue.get": lambda: Plain(q.PriorityQueue(), get, lambda one: one.empty()),
    "SimpleQueue.get": lambda: Plain(q.SimpleQueue(), get, lambda one: one.put(7) is None and one.get_nowait() == 7),
    "Thread.join": Joined,
}
# These have no timeout, or end otherwise when it passes.
ENDLESS = {
    "with Lock": lambda: Held(t.Lock, True),
    "with RLock": lambda: Held(t.RLock, True),
    "Queue.join": lambda: Plain(full(q.Queue), lambda one, timeout: one.join(), lambda one: one.unfinished_tasks == 1),
    # As in the stdlib, the barrier is not broken by it.
    "Barrier.wait": lambda: Plain(t.Barrier(2), lambda b, timeout: b.wait(),
                                  lambda b: not b.broken and b.n_waiting == 0),
}


def drained():
    semaphore = t.BoundedSemaphore(1)
    semaphore.acquire()
    return semaphore


def until_waiting(thread):
    while not any(wait[0] == thread.ident for wait in _core.waits()):
        time.sleep(0.001)


def waits_of_this_thread():
    return [wait for wait in _core.waits() if wait[0] == t.get_ident()]


class Signals(unittest.TestCase):
    def setUp(self):
        self.old = signal.getsignal(signal.SIGALRM)
        faulthandler.dump_traceback_later(120, exit=True)

    def tearDown(self):
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.old)
        faulthandler.cancel_dump_traceback_later()

    def test_a_handler_that_raises_ends_the_wait_and_leaves_nothing(self):
        def handler(*_):
            raise Stop
        signal.signal(signal.SIGALRM, handler)
        for name, make in {**SCENES, **ENDLESS}.items():
            for distance in DISTANCES:
                with self.subTest(name, distance=distance):
                    scene, stopped = make(), False
                    try:
                        signal.setitimer(signal.ITIMER_REAL, distance)
                        scene.wait(None)
                    except Stop:
                        stopped = True
                    self.assertTrue(stopped)
                    self.assertEqual(waits_of_this_thread(), [])
                    scene.check(self)
                    scene.close()

    def test_a_handler_that_returns_leaves_the_wait_to_its_deadline(self):
        # Every 200 µs: the first wait meets some while it spins, and the rest while it sleeps or runs a handler.
        hits = []
        signal.signal(signal.SIGALRM, lambda *_: hits.append(True))
        for name, make in SCENES.items():
            with self.subTest(name):
                scene = make()
                hits.clear()
                signal.setitimer(signal.ITIMER_REAL, 1e-6, 200e-6)
                begin = time.monotonic()
                ended = scene.wait(TIMEOUT)
                taken = time.monotonic() - begin
                signal.setitimer(signal.ITIMER_REAL, 0)
                self.assertFalse(ended)
                self.assertGreaterEqual(taken, TIMEOUT)
                self.assertTrue(hits)
                self.assertEqual(waits_of_this_thread(), [])
                scene.check(self)
                scene.close()

    def test_a_barrier_breaks_at_its_own_deadline_only(self):
        hits = []
        signal.signal(signal.SIGALRM, lambda *_: hits.append(True))
        barrier = t.Barrier(2)
        signal.setitimer(signal.ITIMER_REAL, 1e-6, 200e-6)
        begin = time.monotonic()
        self.assertRaises(t.BrokenBarrierError, barrier.wait, TIMEOUT)
        taken = time.monotonic() - begin
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.assertGreaterEqual(taken, TIMEOUT)
        self.assertTrue(hits and barrier.broken)

    def test_what_a_handler_brings_about_ends_the_wait(self):
        for name, make, act in (
                ("Event", t.Event, lambda e: e.set()),
                ("Semaphore", lambda: t.Semaphore(0), lambda s: s.release()),
                ("Lock", held_lock, lambda lock: lock.release()),
                ("Queue", q.Queue, lambda queue: queue.put(True)),
                ("SimpleQueue", q.SimpleQueue, lambda queue: queue.put(True))):
            wait = {"Event": lambda e: e.wait(), "Queue": lambda queue: queue.get(),
                    "SimpleQueue": lambda queue: queue.get()}.get(name, lambda thing: thing.acquire())
            for distance in DISTANCES:
                with self.subTest(name, distance=distance):
                    thing = make()
                    signal.signal(signal.SIGALRM, lambda *_: act(thing))
                    signal.setitimer(signal.ITIMER_REAL, distance)
                    self.assertTrue(wait(thing))

    def test_what_a_handler_brings_about_is_still_there_if_it_raises(self):
        for name, make, act, wait, take in (
                ("Event", t.Event, lambda e: e.set(), lambda e: e.wait(), lambda e: e.is_set()),
                ("Semaphore", lambda: t.Semaphore(0), lambda s: s.release(), lambda s: s.acquire(), lambda s: s.acquire(False)),
                ("Queue", q.Queue, lambda queue: queue.put(True), lambda queue: queue.get(), lambda queue: queue.get(False)),
                ("SimpleQueue", q.SimpleQueue, lambda queue: queue.put(True), lambda queue: queue.get(),
                 lambda queue: queue.get(False)),
                ("shared Queue", lambda: threadingpp.shared("Queue"), lambda queue: queue.put(True),
                 lambda queue: queue.get(), lambda queue: queue.get(False))):
            for distance in DISTANCES:
                with self.subTest(name, distance=distance):
                    thing = make()

                    def handler(*_):
                        act(thing)
                        raise Stop
                    signal.signal(signal.SIGALRM, handler)
                    with self.assertRaises(Stop):
                        signal.setitimer(signal.ITIMER_REAL, distance)
                        wait(thing)
                    self.assertEqual(waits_of_this_thread(), [])
                    self.assertTrue(take(thing))

    def test_a_handler_may_wait_for_whom_its_lock_was_released_to(self):
        for name, make in (("Lock", t.Lock), ("RLock", t.RLock)):
            with self.subTest(name):
                condition, others = t.Condition(make()), []

                def take():
                    with condition:
                        pass

                def handler(*_):
                    with condition:
                        condition.notify()  # this thread is first in the lock's queue now, and here
                        others.append(t.Thread(target=take, daemon=True))
                        others[0].start()
                        until_waiting(others[0])
                    others[0].join(60)

                def interrupt(main=t.current_thread()):
                    until_waiting(main)
                    signal.pthread_kill(main.ident, signal.SIGALRM)

                signal.signal(signal.SIGALRM, handler)
                interrupter = t.Thread(target=interrupt)
                with condition:
                    interrupter.start()
                    condition.wait()
                    self.assertFalse(others[0].is_alive())
                interrupter.join()

    def test_a_handler_that_forks_leaves_the_wait_to_its_deadline_in_both_processes(self):
        event, pids = t.Event(), []
        other = t.Thread(target=event.wait)  # queued before this thread
        other.start()
        until_waiting(other)
        signal.signal(signal.SIGALRM, lambda *_: pids.append(os.fork()))
        signal.setitimer(signal.ITIMER_REAL, 2e-3)
        begin = time.monotonic()
        ended = event.wait(TIMEOUT)
        good = not ended and time.monotonic() - begin >= TIMEOUT and len(pids) == 1 and waits_of_this_thread() == []
        if pids[0] == 0:
            os._exit(0 if good else 1)
        self.assertTrue(good)
        self.assertEqual(os.waitpid(pids[0], 0)[1], 0)
        event.set()
        other.join()


def held_lock():
    lock = t.Lock()
    lock.acquire()
    return lock


if __name__ == "__main__":
    unittest.main()
