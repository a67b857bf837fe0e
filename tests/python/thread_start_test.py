#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Threads over handles of the core: how they start, what runs in them, and threads that somebody else started."""

import _thread
import os
import sys
import threading as stdlib
import traceback
import unittest

from threadingpp import threading

from thread_case import LONG, Case


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

    def test_hooks_are_remembered_for_who_takes_them_away(self):
        saved, seen = threading.excepthook, []
        self.addCleanup(setattr, threading, "excepthook", saved)
        threading.excepthook = lambda args: seen.append(args.exc_type)
        thread = threading.Thread(target=lambda: 1 / 0)
        threading.excepthook = None
        self.assertRaises(RuntimeError, threading.Thread)
        thread.start()
        thread.join()
        self.assertEqual(seen, [ZeroDivisionError])

    def test_one_that_is_made_anew_has_not_been_started(self):
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
        gate = threading.Event()
        self.addCleanup(gate.set)
        thread.__init__(target=gate.wait)
        self.assertIsNone(thread.ident)
        self.assertIn("initial", repr(thread))
        thread.start()
        self.assertIn("started", repr(thread))
        self.assertTrue(thread.is_alive())
        gate.set()
        thread.join()
        self.assertIn("stopped", repr(thread))

    def test_trace_and_profile_functions_are_set_in_the_thread(self):
        for set_it, get_it in ((threading.settrace, sys.gettrace), (threading.setprofile, sys.getprofile)):
            function, seen = (lambda *_: None), []
            set_it(function)
            try:
                self.run_threads(1, lambda: seen.append(get_it()))
            finally:
                set_it(None)
            self.assertEqual(seen, [function])


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
