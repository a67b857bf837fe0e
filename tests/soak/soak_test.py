# SPDX-License-Identifier: MIT
"""The soak, for seconds instead of hours: every row moves, nothing is lost, and the watchdog knows a hang from a halt."""

import csv
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.environ["THREADINGPP_SOAK"]


class Soak(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.ledger = pathlib.Path(folder.name) / "soak.csv"

    def command(self, *arguments):
        return [PROGRAM, "--ledger", str(self.ledger), *map(str, arguments)]

    def run_soak(self, *arguments, status=0):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=200)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def entries(self):
        with self.ledger.open(newline="") as file:
            return list(csv.DictReader(file))

    def operations(self, row):
        return sum(int(entry["operations"]) for entry in self.entries() if entry["row"] == row)

    def wait_for(self, predicate):
        limit = time.monotonic() + 60
        while not predicate():
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.02)

    def test_every_row_moves_and_errs_in_nothing(self):
        self.run_soak("--seconds", 6, "--commit", "abc")
        names = re.findall(r"^(\S+)", self.run_soak("--list").stdout, re.MULTILINE)
        self.assertGreaterEqual(len(names), 19)
        self.assertEqual([entry["row"] for entry in self.entries()], names)
        for entry in self.entries():
            self.assertGreater(int(entry["operations"]), 0, entry)
            self.assertEqual((entry["errors"], entry["hangs"], entry["commit"]), ("0", "0", "abc"))
        spurious = [entry for entry in self.entries() if entry["row"] == "spurious"]
        self.assertGreater(int(spurious[0]["faults"]), 0)
        page = self.ledger.with_suffix(".md").read_text()
        for name in names:
            self.assertEqual(page.count(f"| {name} |"), 1)

    def test_runs_add_up(self):
        self.run_soak("--rows", "lock-alone", "--seconds", 0.1)
        first = self.operations("lock-alone")
        self.run_soak("--rows", "lock-alone", "--seconds", 0.1)
        self.assertEqual(len(self.entries()), 1)
        self.assertGreater(self.operations("lock-alone"), first)
        self.run_soak("--rows", "lock-alone", "--seconds", 0.1, "--commit", "another")
        self.assertEqual(len(self.entries()), 2)

    def test_an_interrupted_run_keeps_what_it_has(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                self.ledger.unlink(missing_ok=True)
                with subprocess.Popen(self.command("--rows", "lock-alone,threads", "--slice", 0.2), text=True,
                                      stdout=subprocess.PIPE) as soak:
                    soak.stdout.readline()  # a row is done
                    before = self.operations("lock-alone")
                    soak.send_signal(number)
                    self.assertIn("interrupted", soak.communicate(timeout=60)[0])
                self.assertEqual(soak.returncode, 0)
                self.assertGreater(before, 0)
                self.assertGreaterEqual(self.operations("lock-alone"), before)

    def test_a_hang_is_told_and_kept(self):
        done = self.run_soak("--rows", "hang", "--seconds", 0.1, "--patience", 0.3, status=-signal.SIGABRT)
        self.assertIn("HANG in hang", done.stderr)
        self.assertRegex(done.stderr, r"hang/0, ident .*\n +waiting for Event")
        self.assertEqual([entry["hangs"] for entry in self.entries()], ["1"])

    def test_a_halt_is_no_hang(self):
        with subprocess.Popen(self.command("--rows", "notifications", "--seconds", 1.5, "--patience", 1), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as soak:
            stat = pathlib.Path(f"/proc/{soak.pid}/stat")
            self.wait_for(lambda: len(os.listdir(f"/proc/{soak.pid}/task")) > 3)
            soak.send_signal(signal.SIGSTOP)
            self.wait_for(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T")
            time.sleep(3)  # three times what it has patience for
            soak.send_signal(signal.SIGCONT)
            out, err = soak.communicate(timeout=60)
        self.assertEqual(soak.returncode, 0, out + err)
        self.assertEqual([entry["hangs"] for entry in self.entries()], ["0"])

    def test_what_it_does_not_understand_it_refuses(self):
        for arguments in (("--rows", "nothing"), ("--hours", "-1"), ("--hours", "soon"), ("--rows",), ("--what", "1")):
            with self.subTest(arguments):
                self.assertIn("usage", self.run_soak(*arguments, status=2).stderr)
        self.ledger.write_text("something else\n")
        self.assertIn("no ledger", self.run_soak("--seconds", 1, status=2).stderr)
        self.assertEqual(self.ledger.read_text(), "something else\n")


if __name__ == "__main__":
    unittest.main()
