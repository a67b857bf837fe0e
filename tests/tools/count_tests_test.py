# SPDX-License-Identifier: MIT
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools/count_tests.py"

SUITE = """<testsuite>
  <testcase name="a/one" status="run"/>
  <testcase name="two" status="fail"><failure message="x"/></testcase>
  <testcase name="three" status="notrun"><skipped/></testcase>
</testsuite>"""


class CountTests(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)
        self.addCleanup(self.folder.cleanup)

    def count(self, **suites):
        for name, text in suites.items():
            target = self.path / (name.replace("__", "/") + ".xml")
            target.parent.mkdir(exist_ok=True)
            target.write_text(text, encoding="utf-8")
        files = [str(self.path / (name + ".xml")) for name in suites if "__" not in name] or [str(self.path / "no.xml")]
        run = subprocess.run([sys.executable, TOOL, *files], capture_output=True, text=True, check=False)
        return run.stdout.splitlines()[-1], run.returncode

    def test_adds_up_each_outcome(self):
        self.assertEqual(self.count(ctest=SUITE), ("1 passed, 1 failed, 1 skipped", 1))

    def test_all_passed(self):
        passed = '<testsuite><testcase name="one" status="run"/></testsuite>'
        self.assertEqual(self.count(ctest=passed), ("1 passed, 0 failed", 0))

    def test_the_cases_of_an_entry_replace_it(self):
        cases = '<testsuite><testcase name="x"/><testcase name="y"/><testcase name="z"/></testsuite>'
        self.assertEqual(self.count(ctest=SUITE, results__a_one=cases), ("3 passed, 1 failed, 1 skipped", 1))

    def test_an_entry_that_died_has_failed_although_its_cases_passed(self):
        cases = '<testsuite><testcase name="x"/></testsuite>'
        self.assertEqual(self.count(ctest=SUITE, results__two=cases), ("2 passed, 1 failed, 1 skipped", 1))

    def test_a_missing_file_is_a_failure(self):
        self.assertEqual(self.count(), ("0 passed, 1 failed", 2))
