# SPDX-License-Identifier: MIT
"""What the tests of threads share."""

import subprocess
import sys
import textwrap
import unittest

from threadingpp import threading

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

    def run_child(self, text, wanted="ok\n", statuses=(0,)):
        text = "import threadingpp; threadingpp.install()\nimport threading, os, sys, time\n" + textwrap.dedent(text)
        self.run_program(text, wanted, statuses)

    def run_program(self, text, wanted="ok\n", statuses=(0,)):
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", text], stdin=subprocess.DEVNULL, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.stdout, wanted)
        self.assertIn(done.returncode, statuses)
