#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Threads over handles of the core: how they are joined, and what their handles tell."""

import signal
import unittest

from threadingpp import _core, threading

from thread_case import LONG, Case


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


if __name__ == "__main__":
    unittest.main()
