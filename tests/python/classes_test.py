#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Our classes as their reader and their subclass meet them: signatures, names in messages, methods that are overridden.

The stdlib's own classes say what is right.
"""

import abc
import inspect
import pathlib
import pickle
import queue as stdlib_queue
import subprocess
import sys
import tempfile
import threading as stdlib
import unittest
import warnings

from threadingpp import queue as our_queue
from threadingpp import threading as ours

SYNCHRONIZERS = {"Condition": (), "Event": (), "Semaphore": (2,), "BoundedSemaphore": (2,), "Barrier": (2,)}
QUEUES = ("Queue", "LifoQueue", "PriorityQueue", "SimpleQueue")
PAIRS = [(getattr(stdlib, name), getattr(ours, name), arguments) for name, arguments in SYNCHRONIZERS.items()]
PAIRS += [(getattr(stdlib_queue, name), getattr(our_queue, name), ()) for name in QUEUES]


def signature(what):
    try:
        return str(inspect.signature(what))
    except ValueError:
        return None


class Reader(unittest.TestCase):
    """inspect, help() and messages."""

    @unittest.skipIf(sys.version_info < (3, 10), "a class written in C has no signature there")
    def test_classes_have_the_signatures_of_the_stdlibs(self):
        for there, here, _ in PAIRS:
            wanted = signature(there)
            # Up to 3.12 that of a class written in C is its base's, or none.
            if wanted is not None and inspect.isfunction(there.__init__):
                self.assertEqual(signature(here), wanted, there)

    def test_methods_have_the_signatures_of_the_stdlibs(self):
        compared = 0
        for there, here, arguments in PAIRS + [(stdlib.Lock, ours.Lock, ()), (stdlib.RLock, ours.RLock, ())]:
            one, other = there(*arguments), here(*arguments)
            for name in dir(one):
                method = getattr(one, name)
                if name.startswith("_") or not callable(method) or signature(method) is None:
                    continue
                self.assertEqual(signature(getattr(other, name)), signature(method), (there, name))
                self.assertTrue(inspect.getdoc(getattr(other, name)), (there, name))
                compared += 1
        self.assertGreater(compared, 30)

    def test_whatever_has_a_signature_there_has_one_here(self):
        compared = 0
        for there, here, arguments in PAIRS + [(stdlib.Lock, ours.Lock, ()), (stdlib.RLock, ours.RLock, ())]:
            one, other = there(*arguments), here(*arguments)
            for that, this in ((one, other), (type(one), type(other))):
                for name in set(dir(that)) & set(dir(this)) - {"__class__"}:
                    if callable(getattr(that, name)) and signature(getattr(that, name)) is not None:
                        self.assertIsNotNone(signature(getattr(this, name)), (this, name))
                        compared += 1
        self.assertGreater(compared, 100)
        self.assertEqual(signature(ours.current_thread), signature(stdlib.current_thread))

    def test_with_calls_what_the_signatures_say(self):
        for one in (ours.Lock(), ours.RLock(), ours.Condition(), ours.Semaphore(), ours.BoundedSemaphore()):
            inspect.signature(one.__enter__).bind()
            inspect.signature(one.__exit__).bind(None, None, None)
            inspect.signature(type(one).__enter__).bind(one)
            inspect.signature(type(one).__exit__).bind(one, None, None, None)
            with self.assertRaises(TypeError):
                inspect.signature(one.__enter__).bind(1)

    def test_thread_has_a_source(self):
        self.assertEqual(inspect.getsource(ours.Thread), inspect.getsource(stdlib.Thread))

    def test_current_thread_is_pickled_by_name(self):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            self.assertIs(pickle.loads(pickle.dumps(ours.current_thread, protocol)), stdlib.current_thread)

    def test_messages_name_a_class_as_the_stdlibs_do(self):
        for there, here, arguments in PAIRS[:len(SYNCHRONIZERS)]:
            texts = []
            for one in (there(*arguments), here(*arguments)):
                for attempt in (lambda: one.nothing, lambda: one + 1, lambda: len(one), lambda: one()):
                    with self.assertRaises((AttributeError, TypeError)) as caught:
                        attempt()
                    texts.append(str(caught.exception))
            self.assertEqual(texts[4:], texts[:4])


class Subclass(unittest.TestCase):
    """The stdlib's methods call each other by name; so do ours."""

    def test_a_class_with_abstract_methods_left_makes_no_object(self):
        for there, here, arguments in PAIRS:
            if not inspect.isfunction(there.__init__):
                continue  # neither does the interpreter look at a class written in C
            said = []
            for base in (there, here):
                abstract = abc.ABCMeta("Abstract", (base,), {"run": abc.abstractmethod(lambda self: None)})
                with self.assertRaises(TypeError) as caught:
                    abstract(*arguments)
                said.append(str(caught.exception))
                whole = type("Whole", (abstract,), {"run": lambda self: 5})
                self.assertEqual(whole(*arguments).run(), 5)
            self.assertEqual(said[1], said[0])

    def both(self, run):
        """What `run(threading, queue, note)` notes with the stdlib's modules and with ours."""
        noted = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for modules in ((stdlib, stdlib_queue), (ours, our_queue)):
                noted.append([])
                run(*modules, noted[-1].append)
        self.assertTrue(noted[0])
        self.assertEqual(noted[1], noted[0])

    def test_leaving_a_semaphore_releases_it_by_name(self):
        def run(threading, _, note):
            for base in (threading.Semaphore, threading.BoundedSemaphore):

                class Noting(base):
                    def release(self, *arguments):
                        note(("release", arguments))
                        return super().release(*arguments)

                one = Noting(1)
                with one:
                    note(one._value)
                note(one._value)

        self.both(run)

    def test_notify_all_notifies_by_name(self):
        def run(threading, _, note):
            class Noting(threading.Condition):
                def notify(self, n=1):
                    note(n)
                    super().notify(n)

            condition = Noting()
            waiting = threading.Semaphore(0)

            def wait():
                with condition:
                    waiting.release()
                    condition.wait()

            threads = [threading.Thread(target=wait) for _ in range(2)]
            for each in threads:
                each.start()
            for _ in threads:
                waiting.acquire()
            with condition:
                condition.notify_all()
            for each in threads:
                each.join()

        self.both(run)

    def test_wait_for_waits_by_name(self):
        def run(threading, _, note):
            class Noting(threading.Condition):
                def wait(self, timeout=None):
                    note(timeout if timeout in (None, 50) else "what is left")
                    return False

            for timeout in ((), (50,)):
                answers = [False, False, True]
                note(Noting().wait_for(lambda: answers.pop(0), *timeout))

        self.both(run)

    def test_what_is_put_into_an_object_is_called(self):
        def run(threading, _, note):
            one = threading.Condition()
            one.notify = lambda n=1: note("notify")
            with one:
                one.notify_all()
            answers = [False, True]
            other = threading.Condition()
            other.wait = lambda timeout=None: note("wait")
            with other:
                note(other.wait_for(lambda: answers.pop(0), 0))
            for kind in (threading.Semaphore, threading.BoundedSemaphore):
                units = kind(1)
                units.release = lambda n=1: note("release")
                with units:
                    note(units._value)

        self.both(run)

    def test_old_names_call_the_new_ones(self):
        def run(threading, _, note):
            class Flag(threading.Event):
                def is_set(self):
                    return "mine"

            class Noting(threading.Condition):
                def notify_all(self):
                    note("notify_all")

            note(Flag().isSet())
            condition = Noting()
            with condition:
                condition.notifyAll()

        self.both(run)

    def test_put_nowait_and_get_nowait_go_by_put_and_get(self):
        def run(_, queue, note):
            class Noting:
                def put(self, item, block=True, timeout=None):
                    note(("put", item, block, timeout))
                    super().put(item, block, timeout)

                def get(self, block=True, timeout=None):
                    note(("get", block, timeout))
                    return super().get(block, timeout)

            class Own(queue.Queue):
                def put_nowait(self, item):
                    note(("put_nowait", item))
                    super().put_nowait(item)

            for base in (queue.Queue, queue.LifoQueue, queue.PriorityQueue, Own):
                one = type("One", (Noting, base), {})()
                one.put_nowait(1)
                note(one.get_nowait())
                deeper = type("Deeper", (type(one),), {})()
                deeper.put_nowait(2)
                note(deeper.get_nowait())

        self.both(run)

    def test_put_nowait_takes_its_argument_by_name(self):
        def run(_, queue, note):
            for name in QUEUES:
                one = getattr(queue, name)()
                one.put_nowait(item=name)
                note(one.get_nowait())
                for arguments, keywords in ((), {}), ((1, 2), {}), ((), {"other": 1}), ((1,), {"item": 1}):
                    with self.assertRaises(TypeError):
                        one.put_nowait(*arguments, **keywords)
                note(one.qsize())

        self.both(run)


class Program(unittest.TestCase):
    def test_a_program_finds_itself_from_any_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "where.py")
            path.write_text("import sys; print(__file__, sys.argv[0], sys._getframe().f_code.co_filename)")
            texts = [subprocess.run([sys.executable, *launcher, path.name], cwd=folder, stdout=subprocess.PIPE,
                                    timeout=120, check=True).stdout for launcher in ((), ("-m", "threadingpp"))]
        self.assertEqual(texts[1], texts[0])


if __name__ == "__main__":
    unittest.main()
