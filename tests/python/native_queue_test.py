#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""CPython's test_queue, unmodified, on the native queues; and what it does not ask."""

import gc
import threading
import unittest
import weakref

import threadingpp.queue as native
from test import test_queue


def load_tests(loader, standard, pattern):
    """test_queue's own classes, with our classes in the two modules that they test."""
    modules = [getattr(test_queue, name) for name in ("py_queue", "c_queue") if getattr(test_queue, name, None)]
    for module in modules or [test_queue.queue]:
        for name in native.__all__:
            setattr(module, name, getattr(native, name))
    # The tests themselves look for the exceptions in several places, by version.
    for case in vars(test_queue).values():
        if isinstance(case, type) and issubclass(case, unittest.TestCase):
            for name in ("Empty", "Full"):
                if hasattr(case, name):
                    setattr(case, name, getattr(native, name))
    suite = unittest.TestSuite([loader.loadTestsFromModule(test_queue)])
    suite.addTests(standard)
    return suite


class Parts(unittest.TestCase):
    """A queue whose parts somebody has asked for."""

    def make(self, kind=native.Queue, items=(3, 1, 2)):
        queue = kind()
        for item in items:
            queue.put(item)
        return queue

    def test_items_survive_exposure_in_order(self):
        for kind, wanted in ((native.Queue, [3, 1, 2]), (native.LifoQueue, [2, 1, 3]), (native.PriorityQueue, [1, 2, 3])):
            with self.subTest(kind):
                queue = self.make(kind)
                queue.mutex
                self.assertEqual([queue.get() for _ in range(3)], wanted)
                self.assertEqual(queue.unfinished_tasks, 3)

    def test_holder_of_the_mutex_keeps_others_out(self):
        queue = self.make()
        with queue.mutex:
            queue.queue.clear()
            thread = threading.Thread(target=queue.put, args=(7,))
            thread.start()
            thread.join(0.05)
            self.assertTrue(thread.is_alive())
            self.assertEqual(len(queue.queue), 0)
        thread.join()
        self.assertEqual(queue.get(), 7)

    def test_a_second_init_empties(self):
        for kind in native.Queue, native.LifoQueue, native.PriorityQueue:
            for expose in False, True:
                with self.subTest((kind, expose)):
                    queue = self.make(kind)
                    if expose:
                        queue.mutex
                    queue.__init__(2)
                    self.assertEqual((queue.qsize(), queue.maxsize, queue.unfinished_tasks), (0, 2, 0))
                    self.assertRaises(native.Empty, queue.get_nowait)
                    queue.put(5)
                    queue.put(4)
                    self.assertTrue(queue.full())
                    self.assertEqual(sorted([queue.get(), queue.get()]), [4, 5])
                    queue.task_done()
                    queue.task_done()
                    self.assertRaises(ValueError, queue.task_done)

    def test_a_second_init_opens_again(self):
        queue = self.make()
        if not hasattr(queue, "shutdown"):
            self.skipTest("no shutdown")
        queue.shutdown()
        queue.__init__()
        queue.put(1)
        self.assertEqual(queue.get(), 1)

    def test_a_getter_that_waits_natively_follows(self):
        queue = native.Queue()
        got = []
        thread = threading.Thread(target=lambda: got.append(queue.get()))
        thread.start()
        while not thread.is_alive():
            pass
        with queue.not_empty:
            queue.queue.append("by hand")
            queue.not_empty.notify()
        thread.join(30)
        self.assertEqual(got, ["by hand"])

    def test_a_putter_that_waits_natively_follows(self):
        queue = native.Queue(1)
        queue.put(1)
        thread = threading.Thread(target=queue.put, args=(2,))
        thread.start()
        with queue.mutex:
            self.assertEqual(list(queue.queue), [1])
        self.assertEqual([queue.get(timeout=30), queue.get(timeout=30)], [1, 2])
        thread.join()

    def test_conditions_share_the_mutex(self):
        queue = self.make()
        for condition in (queue.not_empty, queue.not_full, queue.all_tasks_done):
            self.assertIs(condition._lock, queue.mutex)


class Hooks(unittest.TestCase):
    def test_a_subclass_with_hooks_is_asked(self):
        class Unique(native.Queue):
            def _init(self, maxsize):
                self.queue = set()

            def _put(self, item):
                self.queue.add(item)

            def _get(self):
                return self.queue.pop()

        queue = Unique()
        for item in (5, 5, 5):
            queue.put(item)
        self.assertEqual(queue.qsize(), 1)
        self.assertEqual(queue.get(), 5)

    def test_a_subclass_without_hooks_stays_native(self):
        class Named(native.Queue):
            def __init__(self, name):
                super().__init__(maxsize=2)
                self.name = name

        queue = Named("x")
        queue.put(1)
        queue.put(2)
        self.assertTrue(queue.full())
        self.assertRaises(native.Full, queue.put_nowait, 3)
        self.assertEqual((queue.name, queue.maxsize, queue.get()), ("x", 2, 1))


class Life(unittest.TestCase):
    def test_items_are_released_with_the_queue(self):
        class Item:
            def __lt__(self, other):
                return id(self) < id(other)

        for kind in (native.Queue, native.LifoQueue, native.PriorityQueue, native.SimpleQueue):
            with self.subTest(kind):
                queue = kind()
                item = Item()
                seen = weakref.ref(item)
                item.queue = queue  # a cycle
                queue.put(item)
                del item, queue
                gc.collect()
                self.assertIsNone(seen())

    def test_every_item_arrives_once(self):
        for kind in (native.Queue, native.LifoQueue, native.PriorityQueue, native.SimpleQueue):
            for bound in (0, 2) if kind is not native.SimpleQueue else (0,):
                with self.subTest(kind=kind, bound=bound):
                    queue = kind(bound) if bound else kind()
                    each, threads, got = 2000, 3, []

                    def produce(start):
                        for item in range(start, start + each):
                            queue.put(item)

                    def consume():
                        for _ in range(each):
                            got.append(queue.get())

                    workers = [threading.Thread(target=produce, args=(i * each,)) for i in range(threads)]
                    workers += [threading.Thread(target=consume) for _ in range(threads)]
                    for worker in workers:
                        worker.start()
                    for worker in workers:
                        worker.join()
                    self.assertEqual(sorted(got), list(range(threads * each)))


if __name__ == "__main__":
    unittest.main()
