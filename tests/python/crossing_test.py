#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Queues that C++ threads use without the interpreter's lock (crossing.cpp)."""

import gc
import subprocess
import sys
import threading
import unittest
import weakref

import crossing
import threadingpp
from threadingpp import _core, queue
from threadingpp import threading as face

WATCHDOG = 60


class Thing:
    pass


class Items(unittest.TestCase):
    def test_what_cpp_sees_of_pythons(self):
        q = threadingpp.shared("Queue")
        for item, seen in (
            (None, "none"),
            (True, "true"),
            (False, "false"),
            (41, "int 41"),
            (-(2**63), f"int {-2**63}"),
            (2**63, "object"),
            (1.5, "double 1.500000"),
            ("ä\0b", "text ä"),  # the test reads it as a C string
            ("\udc80", "object"),
            (b"ab", "bytes ab"),
            ([1], "object"),
            (type("I", (int,), {})(3), "object"),
        ):
            with self.subTest(item):
                q.put(item)
                self.assertEqual(crossing.take(q).split("\0")[0], seen)
        self.assertIsNone(crossing.take(q))

    def test_what_python_sees_of_cpps(self):
        q = threadingpp.shared("Queue")
        crossing.give(q)
        wanted = [None, True, -7, 2**62, 0.5, "text ä", "\udcff", b"a\0b", (3, 4)]
        got = [q.get() for _ in wanted]
        self.assertEqual(got, wanted)
        self.assertEqual([type(item) for item in got], [type(item) for item in wanted])
        self.assertRaises(ZeroDivisionError, q.get)
        self.assertTrue(q.empty())

    def test_python_gets_the_very_object(self):
        q = threadingpp.shared("Queue")
        for item in (Thing(), "a long text " * 3, 10**6, 2.5, [1], 2**80):
            q.put(item)
            self.assertIs(q.get(), item)
            self.assertTrue(crossing.send(q, item))
            self.assertIs(q.get(), item)

    def test_an_object_travels_through_cpp(self):
        questions, answers = threadingpp.shared("Queue"), threadingpp.shared("Queue")
        crossing.answer(questions, answers)
        thing = Thing()
        for item, answer in ((1, 2), (0.5, 1.0), ("ä", "ä!"), (b"abc", b"cba")):
            questions.put(item)
            self.assertEqual(answers.get(timeout=WATCHDOG), answer)
        questions.put(thing)
        self.assertIs(answers.get(timeout=WATCHDOG), thing)
        questions.put(None)
        self.assertIsNone(answers.get(timeout=WATCHDOG))
        questions.join()

    def test_objects_that_cpp_drops_are_collected(self):
        q = threadingpp.shared("Queue")
        things = [Thing() for _ in range(1000)]
        seen = [weakref.ref(thing) for thing in things]
        for thing in things:
            q.put(thing)
        del things, thing
        for _ in seen:
            self.assertEqual(crossing.take(q), "object")
        self.assertEqual(sum(ref() is not None for ref in seen), 1000)  # nobody had the GIL to drop them
        q.put(None)
        self.assertEqual(sum(ref() is not None for ref in seen), 0)

    def test_items_are_released_with_the_queue(self):
        q = threadingpp.shared("Queue")
        thing = Thing()
        seen = weakref.ref(thing)
        q.put(thing)
        del thing, q
        gc.collect()
        self.assertIsNone(seen())


class Threads(unittest.TestCase):
    def test_cpp_asks_for_no_gil(self):
        questions, answers = threadingpp.shared("Queue"), threadingpp.shared("Queue")
        crossing.answer(questions, answers)
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1000)  # nobody else gets the GIL for as long as this thread runs
        try:
            for number in range(100):
                questions.put(number)
                while answers.empty():
                    pass
                self.assertEqual(answers.get(), number + 1)
        finally:
            sys.setswitchinterval(interval)
        questions.put(None)
        self.assertIsNone(answers.get(timeout=WATCHDOG))

    def test_every_item_arrives_once(self):
        for bound in (0, 3):
            with self.subTest(bound=bound):
                q, results = threadingpp.shared("Queue", bound), threadingpp.shared("Queue")
                each, got = 3000, []

                def consume():
                    for _ in range(each):
                        got.append(q.get(timeout=WATCHDOG))

                def produce():
                    for _ in range(each):
                        q.put(-1, timeout=WATCHDOG)

                crossing.produce(q, 2, each)
                threads = [threading.Thread(target=consume) for _ in range(2)]
                threads += [threading.Thread(target=produce)]
                for thread in threads:
                    thread.start()
                crossing.consume(q, results, each)
                for thread in threads:
                    thread.join()
                total = sum(range(2 * each)) - each
                self.assertEqual(results.get(timeout=WATCHDOG) + sum(got), total)
                self.assertTrue(q.empty())
                for _ in range(2 * each):
                    q.task_done()
                q.join()
                self.assertRaises(ValueError, q.task_done)

    def test_a_bound_keeps_both_out(self):
        q, results = threadingpp.shared("Queue", 2), threadingpp.shared("Queue")
        crossing.produce(q, 1, 10)
        while not q.full():
            pass
        self.assertRaises(queue.Full, q.put_nowait, 99)
        self.assertRaises(queue.Full, q.put, 99, timeout=0.01)
        self.assertFalse(crossing.send(q, 99))
        self.assertEqual([q.get(timeout=WATCHDOG) for _ in range(10)], list(range(10)))
        self.assertRaises(queue.Empty, q.get_nowait)
        self.assertRaises(queue.Empty, q.get, timeout=0.01)

    def test_whoever_holds_the_mutex_keeps_cpp_out(self):
        q, results = threadingpp.shared("Queue"), threadingpp.shared("Queue")
        self.assertIs(q.mutex, q.mutex)
        self.assertIs(q.not_empty._lock, q.mutex)
        with q.mutex:
            crossing.consume(q, results, 1)
            crossing.produce(q, 1, 1)
            while sum(wait[1] == "Lock" for wait in _core.waits()) < 2:
                pass
            self.assertTrue(results.empty())
        self.assertEqual(results.get(timeout=WATCHDOG), 0)

    def test_a_python_thread_waits_on_a_part(self):
        q = threadingpp.shared("Queue")
        with q.not_empty:
            crossing.produce(q, 1, 1)
            self.assertTrue(q.not_empty.wait(WATCHDOG))
        self.assertEqual(q.get(), 0)


class Ends(unittest.TestCase):
    def check(self, program, wanted):
        for _ in range(5):
            done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, timeout=WATCHDOG)
            self.assertEqual((done.returncode, done.stdout.decode()), (0, wanted))

    def test_shut_down_by_cpp(self):
        q = threadingpp.shared("Queue")
        q.put(1)
        crossing.shut_down(q, False)
        self.assertRaises(queue.ShutDown, q.put, 2)
        self.assertEqual(q.get(), 1)
        self.assertRaises(queue.ShutDown, q.get)

    def test_shut_down_at_once_wakes_python(self):
        q, errors = threadingpp.shared("Queue"), []

        def wait():
            try:
                q.get()
            except queue.ShutDown as error:
                errors.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        while not q.not_empty._waiters:
            pass
        crossing.shut_down(q, True)
        thread.join()
        self.assertEqual(len(errors), 1)

    @unittest.skipUnless(hasattr(queue.Queue, "shutdown"), "from 3.13")
    def test_shut_down_by_python(self):
        questions, answers = threadingpp.shared("Queue"), threadingpp.shared("Queue")
        crossing.answer(questions, answers)
        questions.shutdown()
        self.assertTrue(questions.is_shutdown)
        self.assertEqual(answers.get(timeout=WATCHDOG), "shut down")

    def test_a_queue_outlives_its_object(self):
        q, results = threadingpp.shared("Queue"), threadingpp.shared("Queue")
        mutex = q.mutex
        crossing.consume(q, results, 1)
        crossing.produce(q, 1, 1)
        del q
        gc.collect()
        self.assertEqual(results.get(timeout=WATCHDOG), 0)
        with mutex:
            pass

    def test_after_the_interpreter(self):
        program = (
            "import crossing, threadingpp, threading\n"
            "q = threadingpp.shared('Queue')\n"
            "crossing.at_exit(q)\n"
            "for item in (5, 'text', b'b', [1], object()): q.put(item)\n"
            "never = threadingpp.shared('Queue')\n"
            "threading.Thread(target=never.get, daemon=True).start()\n"
        )
        self.check(program, "after the end: int 5 text text bytes b object object text from a thread\n")

    # From 3.14 on they are not ended, but wait for ever.
    @unittest.skipIf(sys.version_info >= (3, 14), "threads outlive the interpreter")
    def test_a_python_thread_that_is_ended_takes_nobodys_turn_with_it(self):
        program = (
            "import crossing, os, sys, threadingpp\n"
            "from threadingpp import _core, threading\n"
            "lock, event = threadingpp.shared('Lock'), threadingpp.shared('Event')\n"
            "class Last:\n"
            "    def __del__(self, lock=lock, event=event, write=os.write):\n"
            "        lock.release()\n"
            "        write(1, b'ok' if event.wait(10) else b'lost')\n"
            "sys.last = Last()\n"
            "lock.acquire()\n"
            "for _ in range(3): threading.Thread(target=lock.acquire, daemon=True).start()\n"
            "while len(_core.waits()) < 3: pass\n"
            "crossing.take_and_tell(lock, event)\n"
            "while len(_core.waits()) < 4: pass\n"
        )
        self.check(program, "ok")


class Handles(unittest.TestCase):
    def test_cpp_joins_a_python_thread(self):
        go, results = face.Event(), threadingpp.shared("Queue")
        thread = face.Thread(target=go.wait, daemon=True)
        crossing.join(thread, results)
        self.assertIn("before it is started", results.get(timeout=WATCHDOG))
        self.assertEqual(crossing.look(thread), (0, False, True))
        thread.start()
        self.assertEqual(crossing.look(thread), (thread.ident, True, True))
        crossing.join(thread, results)
        while not any(wait[0] == 0 for wait in _core.waits()):
            pass
        self.assertTrue(results.empty())
        go.set()
        self.assertIs(results.get(timeout=WATCHDOG), False)
        self.assertFalse(thread.is_alive())
        thread.join()

    def test_a_share_outlives_the_python_thread(self):
        go, results = face.Event(), threadingpp.shared("Queue")
        thread = face.Thread(target=go.wait)
        thread.start()
        crossing.join(thread, results)
        del thread
        go.set()
        self.assertIs(results.get(timeout=WATCHDOG), False)

    def test_python_joins_a_cpp_thread(self):
        go = threadingpp.shared("Event")
        handle, same = crossing.start(go, "from C++")
        self.assertIs(handle, same)
        self.assertEqual(handle.name, "from C++")
        self.assertTrue(handle.is_alive())
        ident = handle.ident
        self.assertEqual(crossing.look(handle), (ident, True, False))
        self.assertNotIn(ident, (0, None, threading.get_ident()))
        handle.join(0.01)
        self.assertTrue(handle.is_alive())
        go.set()
        handle.join()
        self.assertFalse(handle.is_alive())

    def test_wrong_threads(self):
        for wrong in (threading.Thread(), threading.main_thread(), object()):
            self.assertRaises(TypeError, crossing.look, wrong)
        self.assertRaises(TypeError, threadingpp.shared, "ThreadHandle")


class Objects(unittest.TestCase):
    def test_made_by_cpp(self):
        one, two = crossing.made_here(3)
        self.assertIs(one, two)
        self.assertIsInstance(one, threadingpp.Queue)
        self.assertEqual((one.maxsize, one.qsize(), one.empty(), one.full()), (3, 0, True, False))
        for item in range(3):
            one.put(item)
        self.assertEqual((one.qsize(), one.unfinished_tasks, one.full(), crossing.borrow(one)), (3, 3, True, 3))
        one.maxsize = 4
        one.put(3)
        self.assertTrue(one.full())

    def test_wrong_objects(self):
        q = threadingpp.shared("Queue")
        own = threadingpp.Queue()
        for use in (crossing.borrow, crossing.take):
            self.assertRaises(TypeError, use, object())
            self.assertRaises(TypeError, use, threadingpp.SimpleQueue())
            with self.assertRaisesRegex(ValueError, r"lives in its Python object; make one with threadingpp.shared\(\)"):
                use(own)
        own.put(1)
        self.assertEqual(own.get(), 1)
        self.assertRaises(TypeError, q.put)
        self.assertRaises(TypeError, q.get, nonsense=1)
        self.assertRaises(ValueError, q.get, timeout=-1)
        for name in ("queue", "mutex", "unfinished_tasks"):
            with self.assertRaises(AttributeError):
                setattr(q, name, 1)
        self.assertRaises(AttributeError, getattr, q, "queue")
        self.assertRaises(TypeError, threadingpp.shared, "LifoQueue")

    def test_a_signal_interrupts_a_wait(self):
        program = (
            "import threadingpp, signal, os, threading, time\n"
            "def stop(*_): raise KeyError\n"
            "signal.signal(signal.SIGUSR1, stop)\n"
            "q = threadingpp.shared('Queue')\n"
            "def send():\n"
            "    while not q.not_empty._waiters: pass\n"
            "    os.kill(os.getpid(), signal.SIGUSR1)\n"
            "threading.Thread(target=send).start()\n"
            "try: q.get()\n"
            "except KeyError: print('raised')\n"
            "q.put(1); print(q.get())\n"
        )
        done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, timeout=WATCHDOG)
        self.assertEqual(done.stdout.split(), [b"raised", b"1"])


if __name__ == "__main__":
    unittest.main()
