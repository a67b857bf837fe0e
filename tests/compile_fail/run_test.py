# SPDX-License-Identifier: MIT
import os
import pathlib
import tempfile
import unittest

import run

COMPILER = os.environ.get("CXX", "c++")
CASE = """\
// expect: {expect}
#if defined(BAD)
{bad}
#else
{good}
#endif
"""


class Judge(unittest.TestCase):
    def judge(self, expect="deleted", bad="void f() = delete; void g() { f(); }", good="void f();", headers=None):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            source = folder / "case.cpp"
            source.write_text(CASE.format(expect=expect, bad=bad, good=good), encoding="utf-8")
            if headers is None:
                return run.judge(COMPILER, folder, source)
            (folder / "threading").mkdir()
            (folder / "threading/threading.hpp").write_text(headers, encoding="utf-8")
            problem = run.precompile(COMPILER, folder, folder / "precompiled")
            return problem or run.judge(COMPILER, folder, source, folder / "precompiled")

    def test_a_case_that_fails_as_expected_passes(self):
        self.assertIsNone(self.judge())

    def test_a_case_sees_the_precompiled_headers(self):
        self.assertIsNone(self.judge(headers="void h() = delete;\n", bad="void g() { h(); }", good="void g();"))

    def test_headers_that_do_not_compile_are_a_failure(self):
        self.assertIn("error", self.judge(headers="void h() {\n"))

    def test_a_bad_program_that_compiles_is_a_failure(self):
        self.assertIn("the bad program compiles", self.judge(bad="void f();"))

    def test_a_good_twin_that_does_not_compile_is_a_failure(self):
        self.assertIn("the good twin does not compile", self.judge(good="void f() {"))

    def test_another_diagnostic_than_the_expected_is_a_failure(self):
        self.assertIn("fails for another reason", self.judge(expect="no such words"))

    def test_a_case_without_expectation_is_a_failure(self):
        self.assertIn("names no expected diagnostic", self.judge(expect=""))
