# SPDX-License-Identifier: MIT
import os
import pathlib
import tempfile
import unittest

import run

CASE = """\
// expect: {expect}
#if defined(BAD)
{bad}
#else
{good}
#endif
"""


class Judge(unittest.TestCase):
    def judge(self, expect="deleted", bad="void f() = delete; void g() { f(); }", good="void f();"):
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder) / "case.cpp"
            source.write_text(CASE.format(expect=expect, bad=bad, good=good), encoding="utf-8")
            return run.judge(os.environ.get("CXX", "c++"), folder, source)

    def test_a_case_that_fails_as_expected_passes(self):
        self.assertIsNone(self.judge())

    def test_a_bad_program_that_compiles_is_a_failure(self):
        self.assertIn("the bad program compiles", self.judge(bad="void f();"))

    def test_a_good_twin_that_does_not_compile_is_a_failure(self):
        self.assertIn("the good twin does not compile", self.judge(good="void f() {"))

    def test_another_diagnostic_than_the_expected_is_a_failure(self):
        self.assertIn("fails for another reason", self.judge(expect="no such words"))

    def test_a_case_without_expectation_is_a_failure(self):
        self.assertIn("names no expected diagnostic", self.judge(expect=""))
