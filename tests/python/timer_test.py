#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Timers that hold no thread while they are pending."""

import gc
import os
import resource
import subprocess
import sys
import unittest
import weakref

from threadingpp import threading

FAR = 1000.0


def os_threads():
    return len(os.listdir("/proc/self/task"))


class Pending(unittest.TestCase):
    def setUp(self):
        self.timer = threading.Timer(FAR, self.fail, args=(1,), kwargs={})
        self.addCleanup(self.timer.cancel)

    def test_is_a_thread(self):
        self.assertIsInstance(self.timer, threading.Thread)
        self.assertFalse(self.timer.is_alive())
        self.assertIsNone(self.timer.ident)
        self.timer.start()
        self.assertTrue(self.timer.is_alive())
        self.assertIn(self.timer, threading.enumerate())
        self.assertIsNotNone(self.timer.ident)
        self.assertIn("started", repr(self.timer))
        self.assertEqual((self.timer.interval, self.timer.args, self.timer.kwargs), (FAR, (1,), {}))
        self.assertRaises(RuntimeError, self.timer.start)
        self.assertIsNone(self.timer.join(0.01))
        self.assertTrue(self.timer.is_alive())

    def test_cancel_ends_it(self):
        self.timer.start()
        self.timer.cancel()
        self.timer.join()
        self.assertFalse(self.timer.is_alive())
        self.assertTrue(self.timer.finished.is_set())
        self.assertNotIn(self.timer, threading.enumerate())
        self.assertIn("stopped", repr(self.timer))

    def test_join_looks_at_its_timeout(self):
        self.timer.start()
        self.assertRaises(ValueError, self.timer.join, float("nan"))
        self.assertRaises(OverflowError, self.timer.join, 1e100)
        self.assertRaises(TypeError, self.timer.join, "x")
        self.assertIsNone(self.timer.join(-1))
        self.assertTrue(self.timer.is_alive())
        self.timer.cancel()
        self.timer.join()
        self.assertRaises(TypeError, self.timer.join, "x")

    def test_each_has_an_ident_that_is_nobody_elses(self):
        others = [threading.Timer(FAR, self.fail) for _ in range(100)]
        for timer in others:
            self.addCleanup(timer.cancel)
            timer.start()
        self.timer.start()
        idents = {thread.ident for thread in threading.enumerate()}
        self.assertEqual(len(idents), threading.active_count())
        self.assertEqual(idents & sys._current_frames().keys(), {threading.get_ident()})
        self.timer.cancel()
        self.assertNotIn(self.timer.ident, {thread.ident for thread in threading.enumerate()})

    def test_whoever_sets_finished_cancels(self):
        self.timer.start()
        self.timer.finished.set()
        self.timer.join()

    def test_cancel_lets_a_joiner_go(self):
        self.timer.start()
        joiner = threading.Thread(target=self.timer.join)
        joiner.start()
        self.timer.cancel()
        joiner.join()

    def test_ten_thousand_fit_in_twenty_mebibytes_and_two_threads(self):
        before, threads = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, os_threads()
        timers = [threading.Timer(FAR, print) for _ in range(10_000)]
        for timer in timers:
            timer.start()
        self.assertLessEqual(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, 20 * 1024)
        self.assertLessEqual(os_threads(), threads + 1)
        for timer in timers:
            timer.cancel()
        self.assertEqual(threading.active_count(), 1)

    def test_a_cancelled_one_is_collected(self):
        timer = threading.Timer(FAR, print)
        timer.start()
        timer.cancel()
        seen = weakref.ref(timer)
        del timer
        gc.collect()
        self.assertIsNone(seen())


class Fired(unittest.TestCase):
    def test_runs_the_function_in_the_timer_itself(self):
        seen = []
        timer = threading.Timer(0.01, lambda *a, **k: seen.append((a, k, threading.current_thread())), [1], {"b": 2})
        timer.start()
        timer.join()
        self.assertEqual(seen, [((1,), {"b": 2}, timer)])
        self.assertTrue(timer.finished.is_set())
        self.assertFalse(timer.is_alive())

    def test_in_order_of_time(self):
        seen, timers = [], []
        for delay in (0.09, 0.01, 0.05):
            timers.append(threading.Timer(delay, seen.append, (delay,)))
            timers[-1].start()
        for timer in timers:
            timer.join()
        self.assertEqual(seen, [0.01, 0.05, 0.09])

    def test_not_early(self):
        import time

        for delay in (0, 0.001, 0.02):
            begin, seen = time.monotonic(), []
            timer = threading.Timer(delay, lambda: seen.append(time.monotonic()))
            timer.start()
            timer.join()
            self.assertGreaterEqual(seen[0] - begin, delay)

    def test_trace_and_profile_functions_are_those_of_its_start(self):
        for setter, getter in (threading.settrace, sys.gettrace), (threading.setprofile, sys.getprofile):
            seen = []
            before = threading.Timer(0.05, lambda: seen.append(getter()))
            after = threading.Timer(0.05, lambda: seen.append(getter()))
            self.addCleanup(setter, None)
            setter(look := lambda *args: None)
            before.start()
            setter(None)
            after.start()
            setter(look)
            before.join()
            after.join()
            setter(None)
            self.assertEqual(sorted(seen, key=bool), [None, look])

    def test_an_exception_goes_to_the_hook(self):
        seen = []
        saved, threading.excepthook = threading.excepthook, lambda args: seen.append(args.exc_type)
        self.addCleanup(setattr, threading, "excepthook", saved)
        timer = threading.Timer(0.001, lambda: 1 / 0)
        timer.start()
        timer.join()
        self.assertEqual(seen, [ZeroDivisionError])

    def test_one_that_compares_with_nothing_holds_up_no_other(self):
        odd = threading.Timer(float("nan"), int)
        self.addCleanup(odd.cancel)
        odd.start()
        ran = threading.Event()
        threading.Timer(0.01, ran.set).start()
        self.assertTrue(ran.wait(30))

    def test_an_interval_out_of_range_goes_to_the_hook(self):
        hook = threading.excepthook
        self.addCleanup(setattr, threading, "excepthook", hook)
        for interval in float("inf"), 2 * threading.TIMEOUT_MAX, 2**70:
            seen = []
            threading.excepthook = lambda args: seen.append(args.exc_type)
            timer = threading.Timer(interval, self.fail)
            self.addCleanup(timer.cancel)
            timer.start()
            timer.join(30)
            self.assertEqual(seen, [OverflowError], interval)

    def test_one_that_is_made_anew_lives_again(self):
        ran = threading.Event()
        timer = threading.Timer(0.001, ran.set)
        timer.start()
        timer.join()
        for again in range(3):
            go_on = threading.Event()
            seen = []
            timer.__init__(0.001, lambda: (ran.set(), go_on.wait(30), seen.append(threading.current_thread())))
            ran.clear()
            timer.start()
            self.assertTrue(ran.wait(30))
            self.assertTrue(timer.is_alive())
            go_on.set()
            timer.join()
            self.assertEqual(seen, [timer])
            self.assertFalse(timer.is_alive())
            timer.__init__(FAR, self.fail)
            timer.start()
            self.assertTrue(timer.is_alive())
            timer.cancel()
            timer.join()
            self.assertFalse(timer.is_alive())

    def test_whoever_replaces_the_start_of_threads_sees_timers(self):
        started, original = [], threading.Thread.start
        self.addCleanup(setattr, threading.Thread, "start", original)
        threading.Thread.start = lambda self: (started.append(self), original(self))
        ran = threading.Event()
        timer = threading.Timer(0.001, ran.set)
        timer.start()
        timer.join()
        self.assertEqual(started, [timer])
        self.assertTrue(ran.is_set())

    def test_a_subclass_with_a_run_of_its_own_repeats(self):
        class Repeat(threading.Timer):
            def run(self):
                while not self.finished.wait(self.interval):
                    self.function()

        gate = threading.Semaphore(0)
        timer = Repeat(0.001, gate.release)
        timer.start()
        for _ in range(5):
            self.assertTrue(gate.acquire(timeout=60))
        timer.cancel()
        timer.join()


class Ends(unittest.TestCase):
    def run_child(self, text):
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", "from threadingpp import threading\n" + text],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        return done.returncode, done.stdout.split()

    def test_exit_waits_for_pending_ones_and_what_they_start(self):
        self.assertEqual(self.run_child(
            "def again(): print('one'); threading.Timer(0.05, print, ('two',)).start()\n"
            "threading.Timer(0.05, again).start(); print('main')"), (0, ["main", "one", "two"]))

    def test_a_signal_to_a_pending_one_ends(self):
        self.assertEqual(self.run_child(
            "import signal\ntimers = [threading.Timer(1000, print) for _ in range(200)]\n"
            "for t in timers:\n"
            "  t.daemon = True; t.start()\n"
            "for t in timers:\n"
            "  try: signal.pthread_kill(t.ident, 0)\n"
            "  except OSError: pass\n"
            "print('done')"), (0, ["done"]))

    def test_exit_does_not_wait_for_daemons(self):
        self.assertEqual(self.run_child(
            "t = threading.Timer(1000, print); t.daemon = True; t.start(); print('main')"), (0, ["main"]))

    def test_in_a_forked_child_they_are_over(self):
        self.assertEqual(self.run_child(
            "import os\nt = threading.Timer(1000, print); t.start()\n"
            "if os.fork() == 0:\n"
            "  assert not t.is_alive() and threading.active_count() == 1; t.join()\n"
            "  u = threading.Timer(0.01, print, ('child',), {'flush': True}); u.start(); u.join(); os._exit(0)\n"
            "os.wait(); assert t.is_alive(); t.cancel()"), (0, ["child"]))


if __name__ == "__main__":
    unittest.main()
