#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Threads over handles of the core: how they start, end, are joined and registered; what outlives them."""

import _thread
import gc
import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading as stdlib
import traceback
import unittest
import weakref

import threadingpp
from threadingpp import _core, threading

OBJECTS = int(os.environ.get("THREADINGPP_THREADS", "100000"))
EXITS = int(os.environ.get("THREADINGPP_EXITS", "20"))
LONG = 60.0  # seconds: a watchdog


class Case(unittest.TestCase):
    def run_threads(self, count, target, **options):
        threads = [threading.Thread(target=target, **options) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG)
            self.assertFalse(thread.is_alive())
        return threads

    def blocked_thread(self, **options):
        """A thread that lives until the test ends."""
        gate = threading.Event()
        thread = threading.Thread(target=gate.wait, **options)
        self.addCleanup(thread.join)
        self.addCleanup(gate.set)
        thread.start()
        return thread, gate

    def run_child(self, text, wanted="ok\n"):
        text = "import threadingpp; threadingpp.install()\nimport threading, os, sys, time\n" + textwrap.dedent(text)
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", text], stdin=subprocess.DEVNULL, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, wanted))


class Start(Case):
    def test_all_is_known_when_start_returns(self):
        thread, _ = self.blocked_thread()
        self.assertTrue(thread.is_alive())
        self.assertIs(stdlib._active[thread.ident], thread)
        self.assertIn(thread, threading.enumerate())
        self.assertIn(str(thread.native_id), os.listdir("/proc/self/task"))
        self.assertIn("started", repr(thread))
        self.assertNotIn(thread, stdlib._limbo)

    def test_the_thread_finds_itself_registered(self):
        wrong = []

        def look():
            me = threading.current_thread()
            if (me.ident, me.is_alive(), me._started.is_set()) != (threading.get_ident(), True, True):
                wrong.append(me)
            if me not in threading.enumerate() or me.native_id != threading.get_native_id():
                wrong.append(me)

        self.assertEqual(len({id(t) for t in self.run_threads(200, look)}), 200)
        self.assertEqual(wrong, [])

    def test_a_failure_leaves_no_trace_and_may_be_repeated(self):
        seen = []
        thread = threading.Thread(target=seen.append, args=(1,))
        before = (dict(stdlib._active), set(getattr(stdlib, "_shutdown_locks", ())), _thread._count())
        saved = threading.stack_size(1 << 46)  # more than the address space has
        try:
            self.assertRaises(RuntimeError, thread.start)
        finally:
            threading.stack_size(saved)
        after = (dict(stdlib._active), set(getattr(stdlib, "_shutdown_locks", ())), _thread._count())
        self.assertEqual(before, after)
        self.assertEqual((thread.is_alive(), thread.ident, thread.native_id), (False, None, None))
        self.assertEqual(stdlib._limbo, {})
        self.assertIn("initial", repr(thread))
        self.assertRaises(RuntimeError, thread.join)
        thread.start()
        thread.join()
        self.assertEqual(seen, [1])

    def test_only_one_of_many_starters_wins(self):
        for _ in range(20):
            ran, refused = [], []
            thread = threading.Thread(target=ran.append, args=(1,))
            barrier = threading.Barrier(4)

            def start():
                barrier.wait()
                try:
                    thread.start()
                except RuntimeError as error:
                    refused.append(str(error))

            self.run_threads(4, start)
            thread.join()
            self.assertEqual((ran, refused), ([1], ["threads can only be started once"] * 3))

    def test_a_starter_that_somebody_patched_is_used(self):
        name = "_start_joinable_thread" if hasattr(stdlib, "_start_joinable_thread") else "_start_new_thread"
        original, calls = getattr(stdlib, name), []

        def patched(*args, **names):
            calls.append(1)
            return original(*args, **names)

        setattr(stdlib, name, patched)
        try:
            seen = []
            thread = threading.Thread(target=lambda: seen.append(threading.current_thread()))
            thread.start()
            thread.join()
        finally:
            setattr(stdlib, name, original)
        self.assertEqual((calls, seen), ([1], [thread]))
        self.assertFalse(thread.is_alive())
        self.assertNotIn(thread, threading.enumerate())

    def test_counts_as_a_thread_of_the_interpreter(self):
        before = _thread._count()
        ready, gate = threading.Event(), threading.Event()
        thread = threading.Thread(target=lambda: (ready.set(), gate.wait()))
        thread.start()
        self.assertTrue(ready.wait(LONG))
        self.assertEqual(_thread._count(), before + 1)
        gate.set()
        thread.join()

    def test_daemon_is_inherited(self):
        seen = []
        thread = threading.Thread(target=lambda: seen.append(threading.Thread().daemon), daemon=True)
        thread.start()
        thread.join()
        self.assertEqual(seen, [True])


class Run(Case):
    def test_overridden_methods_are_called(self):
        calls = []

        class Mine(threading.Thread):
            def __init__(self):
                super().__init__(name="mine")

            def start(self):
                calls.append("start")
                super().start()

            def _bootstrap(self):
                calls.append("bootstrap")
                super()._bootstrap()

            def run(self):
                calls.append("run")

            def join(self, timeout=None):
                super().join(timeout)
                calls.append("join")

        thread = Mine()
        thread.start()
        thread.join()
        self.assertEqual(calls, ["start", "bootstrap", "run", "join"])

    def test_a_class_that_minds_its_attributes(self):
        class Strict(threading.Thread):
            def __setattr__(self, name, value):
                threading.Event().wait(0)  # lets others run
                super().__setattr__(name, value)

        seen = []
        for _ in range(20):
            thread = Strict(target=lambda: seen.append(threading.current_thread().ident == threading.get_ident()))
            thread.start()
            thread.join()
        self.assertEqual(seen, [True] * 20)

    def test_an_exception_shows_the_usual_frames(self):
        frames = []
        saved, threading.excepthook = threading.excepthook, lambda args: frames.extend(
            frame.name for frame in traceback.extract_tb(args.exc_traceback))
        self.addCleanup(setattr, threading, "excepthook", saved)
        self.run_threads(1, lambda: 1 / 0)
        self.assertEqual(frames, ["_bootstrap_inner", "run", "<lambda>"])

    def test_the_hook_is_the_one_set_last(self):
        seen = []
        saved = threading.excepthook
        self.addCleanup(setattr, threading, "excepthook", saved)
        thread = threading.Thread(target=lambda: 1 / 0)
        threading.excepthook = lambda args: seen.append((args.exc_type, args.thread))
        thread.start()
        thread.join()
        self.run_threads(1, sys.exit)
        self.assertEqual(seen[0], (ZeroDivisionError, thread))
        self.assertEqual([kind for kind, _ in seen], [ZeroDivisionError, SystemExit])

    def test_trace_and_profile_functions_are_set_in_the_thread(self):
        for set_it, get_it in ((threading.settrace, sys.gettrace), (threading.setprofile, sys.getprofile)):
            function, seen = (lambda *_: None), []
            set_it(function)
            try:
                self.run_threads(1, lambda: seen.append(get_it()))
            finally:
                set_it(None)
            self.assertEqual(seen, [function])


class Join(Case):
    def test_many_joiners_with_and_without_bounds(self):
        gate = threading.Event()
        thread = threading.Thread(target=gate.wait)
        thread.start()
        self.assertIsNone(thread.join(0.001))
        self.assertIsNone(thread.join(-1))
        self.assertTrue(thread.is_alive())
        done = []
        joiners = [threading.Thread(target=lambda t=t: done.append(thread.join(t))) for t in (None, LONG, 0, 0.001) * 3]
        for joiner in joiners:
            joiner.start()
        gate.set()
        for joiner in joiners:
            joiner.join()
        thread.join()
        self.assertEqual((len(done), thread.is_alive()), (12, False))

    def test_misuse(self):
        self.assertRaisesRegex(RuntimeError, "cannot join thread before it is started", threading.Thread().join)
        seen = []

        def join_myself():
            try:
                threading.current_thread().join()
            except RuntimeError as error:
                seen.append(str(error))

        self.run_threads(1, join_myself)
        self.assertEqual(seen, ["cannot join current thread"])

    def test_returns_after_the_thread_locals_are_destroyed(self):
        class Value:
            def __del__(self):
                threading.Event().wait(0.001)
                ends.append(1)

        ends, values = [], threading.local()
        for _ in range(20):
            def run():
                values.one = Value()

            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
            self.assertEqual(len(ends), 1)
            ends.clear()

    def test_a_thread_local_may_ask_who_runs_it(self):
        self.run_child("""
            class Value:
                def __del__(self): seen.append((threading.current_thread().name.split('-')[0], lock.acquire(False)))
            seen, lock, values = [], threading.Lock(), threading.local()
            def run(): values.one = Value()
            thread = threading.Thread(target=run); thread.start(); thread.join()
            assert seen == [('Dummy', True)], seen
            print('ok', flush=True)
            os._exit(0)   # 3.13 cannot tidy up a dummy that was made that late
        """)

    def test_a_signal_handler_runs_during_it_and_may_end_it(self):
        class Stop(Exception):
            pass

        def handler(*_):
            raise Stop

        thread, _ = self.blocked_thread()
        saved = signal.signal(signal.SIGALRM, handler)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            self.assertRaises(Stop, thread.join)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, saved)
        self.assertTrue(thread.is_alive())


class Handles(Case):
    def test_tells_what_the_thread_does(self):
        thread, gate = self.blocked_thread(daemon=True)
        handle = thread._core_handle
        self.assertIs(type(handle), _core.ThreadHandle)
        self.assertEqual((handle.is_started(), handle.is_alive(), handle.is_done()), (True, True, False))
        self.assertEqual((handle.ident, handle.native_id(), handle.daemon), (thread.ident, thread.native_id, True))
        self.assertIsNone(handle.join(0.001))
        self.assertFalse(handle.acquire(False))
        gate.set()
        self.assertIsNone(handle.join(timeout=LONG))
        self.assertEqual((handle.is_alive(), handle.is_done(), handle.locked()), (False, True, False))

    def test_poses_as_the_lock_that_a_living_thread_holds(self):
        thread, gate = self.blocked_thread()
        handle = thread._core_handle
        self.assertTrue(handle.locked())
        gate.set()
        self.assertTrue(handle.acquire(timeout=LONG))
        self.assertTrue(handle.locked())
        handle.release()
        self.assertFalse(handle.locked())
        self.assertRaises(RuntimeError, handle.release)

    def test_of_a_thread_that_never_started(self):
        handle = _core.ThreadHandle()
        self.assertEqual((handle.is_started(), handle.is_alive(), handle.is_done(), handle.ident, handle.native_id()),
                         (False, False, False, None, None))
        self.assertRaises(RuntimeError, handle.join)
        self.assertRaises(TypeError, handle.join, 1, 2)
        self.assertRaises(TypeError, handle._start, 1)


class Objects(Case):
    def test_nothing_is_kept(self):
        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        def work(count):
            for _ in range(count):
                threading.Thread(target=print, args=(count,))
            for _ in range(count // 100):
                thread = threading.Thread(target=int)
                thread.start()  # half of them are never joined
                if _ % 2:
                    thread.join()
            del thread
            deadline = threading.Event()
            while threading.active_count() > 1:
                deadline.wait(0.001)

        work(OBJECTS // 5)
        before = peak()
        work(OBJECTS)
        gc.collect()
        self.assertLess(peak() - before, 8000)  # KiB: less than 82 bytes for each
        self.assertEqual(len(stdlib._active), 1)
        self.assertLess(len(getattr(stdlib, "_shutdown_locks", ())), 200)

    def test_weak_references_and_cycles(self):
        for start in (False, True):
            thread = threading.Thread(target=int)
            thread.me = thread
            if start:
                thread.start()
                thread.join()
            seen, handle = weakref.ref(thread), weakref.ref(thread._core_handle)
            del thread
            gc.collect()
            self.assertIsNone(seen())
            self.assertIsNone(handle())

    def test_a_running_thread_is_kept_by_the_registry_alone(self):
        gate = threading.Event()
        thread = threading.Thread(target=gate.wait)
        thread.start()
        seen = weakref.ref(thread)
        del thread
        gc.collect()
        self.assertTrue(seen().is_alive())
        gate.set()
        while seen() is not None:
            gate.wait(0) and threading.Event().wait(0.001)


class Frames(Case):
    """The memory of Python frames goes from one thread to the next."""

    WAVES, THREADS, DEPTH = 5, 20, 600

    def test_threads_deep_in_calls_at_the_same_time_do_not_share_frames(self):
        for _ in range(self.WAVES):
            everybody = threading.Barrier(2 * self.THREADS)
            results = threadingpp.Queue()

            def down(depth, number):
                if depth == 0:
                    everybody.wait(LONG)
                    return number
                mine = [number, depth]
                found = down(depth - 1, number)
                return found if mine == [number, depth] else -1

            def start(number):
                results.put((number, down(self.DEPTH, number)))

            # Those of the low-level module get their memory from the interpreter, and may give it back here.
            for number in range(self.THREADS):
                _thread.start_new_thread(start, (number,))
            ours = [threading.Thread(target=start, args=(number,)) for number in range(self.THREADS, 2 * self.THREADS)]
            for thread in ours:
                thread.start()
            found = dict(results.get(timeout=LONG) for _ in range(2 * self.THREADS))
            self.assertEqual(found, {number: number for number in range(2 * self.THREADS)})
            for thread in ours:
                thread.join()

    def test_a_generator_goes_on_after_the_thread_that_began_it(self):
        def count():
            mine = list(range(100))
            yield sum(mine)
            yield len(mine)

        counting = count()
        found = []
        self.run_threads(1, lambda: found.append(next(counting)))
        self.run_threads(1, lambda: found.append(next(counting)))
        self.assertEqual(found, [4950, 100])

    @unittest.skipUnless(sys.version_info >= (3, 11), "frames are ordinary objects")
    def test_threads_one_after_another_leave_nothing(self):
        # Each with more frames than fit into what a thread gets first.
        self.run_child("""
            def grow(depth): return depth and grow(depth - 1)
            def writable():
                with open('/proc/self/status') as status:
                    return next(int(line.split()[1]) for line in status if line.startswith('VmData'))
            def start_some():
                for _ in range(50):
                    thread = threading.Thread(target=grow, args=(300,)); thread.start(); thread.join()
            threading.stack_size(256 * 1024)
            start_some()
            before = writable()
            for _ in range(20): start_some()
            assert writable() <= before + 4096, (before, writable())  # KiB: some stacks, no piece of a thousand threads
            print('ok')
        """)


class Fork(Case):
    def test_running_threads_are_over_in_the_child(self):
        self.run_child("""
            gate = threading.Event()
            threads = [threading.Thread(target=gate.wait) for _ in range(4)]
            for t in threads: t.start()
            fresh = threading.Thread(target=gate.wait)
            pid = os.fork()
            if pid == 0:
                assert threading.enumerate() == [threading.main_thread()], threading.enumerate()
                for t in threads:
                    assert not t.is_alive() and 'stopped' in repr(t)
                    t.join()
                fresh.start(); assert fresh.is_alive(); gate.set(); fresh.join()
                os._exit(7)
            assert os.WEXITSTATUS(os.waitpid(pid, 0)[1]) == 7
            assert all(t.is_alive() for t in threads)
            gate.set()
            for t in threads: t.join()
            print('ok')
        """)

    def test_the_forking_thread_is_the_main_one_of_the_child(self):
        self.run_child("""
            def fork():
                me = threading.current_thread()
                pid = os.fork()
                if pid == 0:
                    assert threading.current_thread() is threading.main_thread() is me and me.is_alive()
                    def late():
                        me.join()            # until the child's exit has begun
                        os.write(1, b'late ')
                    threading.Thread(target=late).start()
                    return
                assert os.waitpid(pid, 0)[1] == 0
                os.write(1, b'ok\\n')
            thread = threading.Thread(target=fork); thread.start(); thread.join()
        """, "late ok\n")


class Exit(Case):
    SCENES = {
        "threads that start and join others": "while True:\n  t = daemon(int); t.start(); t.join()",
        "threads that start others": "while threading.active_count() < 50:\n  daemon(time.sleep, 9).start()",
        "threads that join the main one": "threading.main_thread().join()",
        "threads that join each other": "[t.join() for t in threads if t is not threading.current_thread()]",
        "threads that compute": "while True: threading.current_thread().is_alive()",
    }

    def test_with_daemon_threads(self):
        for name, body in self.SCENES.items():
            with self.subTest(name):
                for _ in range(EXITS):
                    self.run_child(f"""
def daemon(target, *args): return threading.Thread(target=target, args=args, daemon=True)
def run():
  try:
    {body.replace(chr(10), chr(10) + '    ')}
  except RuntimeError: pass   # the interpreter starts no threads any more
threads = [daemon(run) for _ in range(4)]
threading.excepthook = lambda args: None
for t in threads: t.start()
time.sleep(0.003)
print('ok')
""")

    @unittest.skipIf(sys.version_info[:2] == (3, 12), "3.12 itself starts no threads once the main one has ended")
    def test_waits_for_threads_and_for_those_that_they_start(self):
        self.run_child("""
            def run(left):
                time.sleep(0.01)
                if left: threading.Thread(target=run, args=(left - 1,)).start()
                else: print('ok')
            threading.Thread(target=run, args=(3,)).start()
        """)


class Foreign(Case):
    def test_threads_of_the_low_level_module_get_dummies(self):
        gate, seen = threading.Semaphore(0), []

        def run():
            seen.append(threading.current_thread())
            seen.append(threading.current_thread())
            gate.release()

        _thread.start_new_thread(run, ())
        self.assertTrue(gate.acquire(timeout=LONG))
        self.assertIs(seen[0], seen[1])
        self.assertTrue(seen[0].name.startswith("Dummy"))

    def test_current_thread_follows_the_registry(self):
        ident, me = threading.get_ident(), threading.current_thread()
        other = threading.Thread()
        stdlib._active[ident] = other
        try:
            self.assertIs(threading.current_thread(), other)
            del stdlib._active[ident]
            stdlib._active[float(ident)] = me  # an equal key that is not an int
            self.assertIs(threading.current_thread(), me)
        finally:
            stdlib._active.pop(ident, None)
            stdlib._active[ident] = me
        self.assertIs(threading.current_thread(), me)

    def test_install_and_uninstall_keep_all_threads_in_one_family(self):
        self.run_child("""
            stock = threading.Thread.__mro__[1]
            assert isinstance(threading.main_thread(), threading.Thread)
            assert issubclass(threading._DummyThread, threading.Thread)
            gate = threading.Event()
            thread = threading.Thread(target=gate.wait); thread.start()
            ours = threading.Thread
            threadingpp.uninstall()
            assert threading.Thread is stock and isinstance(thread, stock) and thread.is_alive()
            assert type(threading.main_thread()).__bases__ == (stock,)
            gate.set(); thread.join()
            assert not thread.is_alive()
            old = threading.Thread(target=int); old.start(); old.join()
            print('ok')
        """)


if __name__ == "__main__":
    unittest.main()
