#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py --compiler CXX --include DIR CASE.cpp: a case passes if it compiles without the macro BAD and, with BAD, fails
with the diagnostic it names. The comment lines at its top say so:

    // expect: REGEX         found in what the compiler prints for the bad program (required)
    // compiler: NAME        instead of CXX, for what only one compiler diagnoses
    // flags: FLAG...        added to both compilations
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys


def directives(text):
    return dict(re.findall(r"(?m)^// (expect|compiler|flags): (.+)$", text))


def compile_case(command, source, bad):
    arguments = [*command, *(["-DBAD"] if bad else []), str(source)]
    return subprocess.run(arguments, capture_output=True, text=True, check=False)


def judge(compiler, include, source):
    """What is wrong with the case, or None."""
    case = directives(source.read_text(encoding="utf-8"))
    if "expect" not in case:
        return "the case names no expected diagnostic"
    compiler = case.get("compiler", compiler)
    if not shutil.which(compiler):
        return f"the compiler {compiler} is not installed"
    command = [compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", f"-I{include}"]
    command += case.get("flags", "").split()
    good = compile_case(command, source, bad=False)
    if good.returncode != 0:
        return f"the good twin does not compile:\n{good.stderr}"
    bad = compile_case(command, source, bad=True)
    if bad.returncode == 0:
        return "the bad program compiles"
    if not re.search(case["expect"], bad.stderr):
        return f"the bad program fails for another reason than /{case['expect']}/:\n{bad.stderr}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--include", required=True)
    parser.add_argument("case", type=pathlib.Path)
    options = parser.parse_args()
    problem = judge(options.compiler, options.include, options.case)
    if problem:
        print(f"{options.case.name}: {problem}")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
