# SPDX-License-Identifier: MIT
"""The public headers cause no warning in a program that asks for many: as they are, and instantiated by the contracts."""

import os
import pathlib
import re
import subprocess
import sysconfig
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parents[1] / "include"
PYTHON = pathlib.Path(sysconfig.get_paths()["include"])
COMPILER = os.environ.get("CXX", "c++")

GCC = """-Wall -Wextra -Wpedantic -Wcast-qual -Wconversion -Wdouble-promotion -Weffc++ -Wfloat-equal -Wnon-virtual-dtor
         -Wold-style-cast -Woverloaded-virtual -Wredundant-decls -Wshadow -Wsign-conversion -Wundef -Wuseless-cast"""
# Not those about older standards and about what padding a class has; nor about virtual functions that are all inline,
# which classes of headers without a library have, nor about macros of Python.h.
CLANG = """-Weverything -Wno-c++98-compat -Wno-c++98-compat-pedantic -Wno-c++20-compat -Wno-padded -Wno-weak-vtables
           -Wno-disabled-macro-expansion"""


def warnings_of(source):
    """What the compiler says about lines of the public headers."""
    version = subprocess.run([COMPILER, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    flags = CLANG if "clang" in version else GCC
    done = subprocess.run(
        [COMPILER, "-std=c++20", "-fsyntax-only", *flags.split(), f"-I{INCLUDE}", "-isystem", PYTHON, source],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    if done.returncode != 0:
        raise AssertionError(done.stdout)
    return re.findall(rf"(?m)^{re.escape(str(INCLUDE))}.*: warning: .*$", done.stdout)


class Warnings(unittest.TestCase):
    def test_headers(self):
        headers = [path.relative_to(INCLUDE) for path in sorted(INCLUDE.glob("threading/**/*.hpp"))
                   if "python" not in path.name or (PYTHON / "Python.h").exists()]
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder) / "all.cpp"
            source.write_text("".join(f"#include <{header}>\n" for header in headers), encoding="utf-8")
            self.assertEqual(warnings_of(source), [])

    def test_headers_instantiated(self):
        for source in sorted(HERE.glob("contract_*_test.cpp")):
            with self.subTest(source.name):
                self.assertEqual(warnings_of(source), [])

    def test_a_warning_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder) / "cast.cpp"
            source.write_text(f'#line 1 "{INCLUDE}/threading/sample.hpp"\nint f(double d) {{ return (int)d; }}\n',
                              encoding="utf-8")
            self.assertEqual(len([text for text in warnings_of(source) if "cast" in text]), 1)


if __name__ == "__main__":
    unittest.main()
