#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run_suites.py itself: what it reads from unittest's output, and what it makes of a failure."""

import argparse
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import run_suites

OUTPUT = """\
test_one (test.test_queue.QueueTest) ... ok
test_two (test.test_queue.QueueTest.test_two) ... FAIL
test_skipped (test.test_queue.QueueTest) ... skipped 'not here'
0.05s test_after_it (test.test_queue.QueueTest.test_after_it)
What it is about. ... ok
test.test_windows (unittest.loader.ModuleSkipped) ... skipped 'Windows only'
test_torn (test.test_queue.QueueTest) ... somebody prints
ok
======================================================================
FAIL: test_two (test.test_queue.QueueTest.test_two)
----------------------------------------------------------------------
Ran 6 tests in 0.001s
"""


class Parsing(unittest.TestCase):
    def test_every_test_and_its_outcome(self):
        results = run_suites.parse(OUTPUT)
        self.assertEqual(results, {
            "QueueTest.test_one": "ok", "QueueTest.test_two": "FAIL", "QueueTest.test_skipped": "skipped",
            "QueueTest.test_after_it": "ok", "ModuleSkipped.test.test_windows": "skipped", "QueueTest.test_torn": "ok"})
        self.assertEqual(run_suites.count_run(OUTPUT), len(results))


class Judging(unittest.TestCase):
    """With one suite of two tests; what they do when they run together and by themselves is said by each case."""

    def judge(self, together, alone, stock=None, broken=()):
        """broken: exit statuses of the first runs of the suite in the mode `module`, which come to no test."""
        self.ran_alone = []
        broken = list(broken)

        def run_suite(interpreter, suite, logs, under=(), only=()):
            if only:
                self.ran_alone.append((pathlib.Path(interpreter).parts[-3], *only))
                return {test: alone[test] for test in only}, 0, 0.1
            if logs.name == "module" and broken:
                return {}, broken.pop(0), 0.1
            results = together if logs.name == "module" else stock or dict.fromkeys(together, "ok")
            return dict(results), 2 if "FAIL" in results.values() else 0, 0.1

        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(run_suites, "run_suite", run_suite), \
                mock.patch.object(run_suites, "make_environment", lambda *args: args[-1] / "bin" / "python"), \
                mock.patch.object(run_suites, "has_suite", lambda *args: True), \
                mock.patch.object(run_suites, "version_of", lambda python: ("3.11", "3.11.7")):
            self.logs = pathlib.Path(folder)
            for mode in ("stock", "module"):
                (self.logs / "3.11.7" / mode).mkdir(parents=True)
            judge = run_suites.Judge(argparse.Namespace(
                package=self.logs, logs=self.logs, under=[], suites=["test_queue"], modes=["stock", "module"], jobs=2,
                complete=True, commit="none"))
            judge.run(["python"], self.logs)
            self.fact = json.loads((self.logs / "3.11.7" / "module" / "test_queue.json").read_text())
        return judge

    def test_what_fails_once_and_passes_by_itself_is_told_and_does_not_count(self):
        judge = self.judge({"A.test_a": "FAIL", "A.test_b": "ok"}, {"A.test_a": "ok"})
        self.assertEqual(self.ran_alone, [("3.11.7-module", "A.test_a")])
        self.assertEqual(judge.problems, [])
        self.assertEqual(len(judge.notes), 1)
        self.assertIn("A.test_a failed once, and passed by itself", judge.notes[0])
        self.assertEqual((self.fact["passed"], self.fact["failing"]), (2, []))

    def test_what_fails_by_itself_as_well_is_a_problem(self):
        judge = self.judge({"A.test_a": "FAIL", "A.test_b": "ok"}, {"A.test_a": "ERROR"})
        self.assertEqual(len(judge.problems), 1)
        self.assertIn("A.test_a passes in stock", judge.problems[0])
        self.assertEqual((self.fact["passed"], self.fact["failing"]), (1, ["A.test_a"]))

    def test_what_does_not_run_again_has_failed(self):
        judge = self.judge({"A.test_a": "ERROR"}, {"A.test_a": "lost"})
        self.assertEqual(len(judge.problems), 1)

    def test_what_fails_in_stock_too_is_no_problem(self):
        outcomes = {"A.test_a": "FAIL", "A.test_b": "ok"}
        judge = self.judge(outcomes, {"A.test_a": "FAIL"}, stock=outcomes)
        self.assertEqual(sorted(self.ran_alone), [("3.11.7-module", "A.test_a"), ("3.11.7-stock", "A.test_a")])
        self.assertEqual(judge.problems, [])

    def test_a_test_that_is_missing_is_a_problem(self):
        judge = self.judge({"A.test_a": "ok"}, {}, stock={"A.test_a": "ok", "A.test_b": "ok"})
        self.assertTrue(any("A.test_b did not run" in problem for problem in judge.problems), judge.problems)


    def test_a_suite_that_hangs_or_dies_runs_again(self):
        judge = self.judge({"A.test_a": "ok"}, {}, broken=[run_suites.HUNG, -11])
        self.assertEqual(judge.problems, [])
        self.assertEqual([note.split(": ")[1] for note in judge.notes],
                         ["did not end, and was run again", "died of signal 11, and was run again"])
        self.assertEqual(self.fact["passed"], 1)

    def test_a_suite_that_hangs_for_the_third_time_is_a_problem(self):
        judge = self.judge({"A.test_a": "ok"}, {}, broken=[run_suites.HUNG] * 3)
        self.assertTrue(any("A.test_a did not run" in problem for problem in judge.problems), judge.problems)


class Signals(unittest.TestCase):
    def test_children_see_sigint_although_the_shell_ignored_it(self):
        question = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            run_suites.restore_interrupts()
            found = subprocess.run([sys.executable, "-c", question], stdout=subprocess.PIPE, text=True).stdout
        finally:
            signal.signal(signal.SIGINT, before)
        self.assertEqual(found, "True\n")


if __name__ == "__main__":
    unittest.main()
