#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One object, two languages: examples/python/doorbell.cpp on Python's primitives."""

import gc
import sys
import time
import unittest

import doorbell
import threadingpp
from threadingpp import _core, threading


class Sharing(unittest.TestCase):
    def test_events_ring_both_ways(self):
        question, reply = threadingpp.shared("Event"), threadingpp.shared("Event")
        doorbell.answer(question, reply, 200)
        for _ in range(200):
            question.set()
            self.assertTrue(reply.wait(60))
            reply.clear()

    def test_a_share_outlives_the_python_object(self):
        question, reply = threadingpp.shared("Event"), threadingpp.shared("Event")
        doorbell.answer(question, reply, 1)
        question.set()
        del question
        gc.collect()
        self.assertTrue(reply.wait(60))

    def test_one_lock_keeps_both_out(self):
        lock = threading.Lock()
        results = []
        threads = [threading.Thread(target=lambda: results.append(doorbell.add(lock, 20000))) for _ in range(4)]
        with lock:
            for thread in threads:
                thread.start()
            self.assertEqual(results, [])
        for thread in threads:
            thread.join()
        self.assertEqual(max(results), 4 * 20000)

    def test_made_by_cpp(self):
        one, two = doorbell.made_here()
        self.assertIs(one, two)
        self.assertIsInstance(one, threading.Event)
        self.assertTrue(one.wait())

    def test_wrong_objects(self):
        event = threadingpp.shared("Event")
        self.assertRaises(TypeError, doorbell.answer, threading.Lock(), event, 1)
        self.assertRaises(TypeError, doorbell.add, object(), 1)
        self.assertRaises(ValueError, doorbell.answer, threading.Event(), event, 1)
        self.assertRaises(TypeError, threadingpp.shared, "SimpleQueue")
        self.assertRaises(ValueError, threadingpp.shared, "Barrier", 0)

    def test_every_kind(self):
        for name, number in (("lock", ()), ("RLock", ()), ("Semaphore", (1,)), ("BoundedSemaphore", (1,))):
            with self.subTest(name):
                with threadingpp.shared(name, *number) as taken:
                    self.assertIs(taken, True)
        self.assertEqual(threadingpp.shared("Barrier", 1).wait(), 0)
        condition = threadingpp.shared("Condition")
        with condition:
            self.assertFalse(condition.wait(0.001))
            thread = threading.Thread(target=self.notify, args=(condition,))
            thread.start()
            self.assertTrue(condition.wait(60))
        thread.join()

    @staticmethod
    def notify(condition):
        with condition:
            condition.notify()


class Woken(unittest.TestCase):
    """A thread that sleeps until a lock is released, while the one that released it keeps the GIL."""

    def setUp(self):
        self.addCleanup(sys.setswitchinterval, sys.getswitchinterval())

    def settles(self, lock, state):
        """Whether the lock gets into `state` and stays there: handed over, it is held for a moment in any case."""
        lock.acquire()
        waiter = threading.Thread(target=lambda: (lock.acquire(), lock.release()))
        waiter.start()
        while all(wait[0] != waiter.ident for wait in _core.waits()):
            time.sleep(0.001)
        sys.setswitchinterval(1000)
        lock.release()
        since, until = None, time.monotonic() + 30
        while (now := time.monotonic()) < until and (since is None or now < since + 0.1):
            if not repr(lock).startswith(f"<{state} "):
                since = None
            elif since is None:
                since = now
        waiter.join()
        return since is not None

    def test_takes_a_lock_of_python_before_the_gil(self):
        for lock in threading.Lock(), threading.RLock():
            with self.subTest(lock):
                self.assertTrue(self.settles(lock, "locked"))

    @unittest.skipUnless(getattr(sys, "_is_gil_enabled", lambda: True)(), "no GIL")
    def test_leaves_a_shared_lock_to_cpp_until_it_has_the_gil(self):
        for name in "lock", "RLock":
            with self.subTest(name):
                self.assertTrue(self.settles(threadingpp.shared(name), "unlocked"))


if __name__ == "__main__":
    unittest.main()
