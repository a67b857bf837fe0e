#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py --compiler CXX --include DIR [--precompiled DIR] CASE.cpp: a case passes if it compiles without the macro BAD and,
with BAD, fails with the diagnostic it names. The comment lines at its top say so:

    // expect: REGEX         found in what the compiler prints for the bad program (required)
    // compiler: NAME        instead of CXX, for what only one compiler diagnoses
    // flags: FLAG...        added to both compilations

run.py --compiler CXX --include DIR --precompiled DIR --precompile CASE.cpp...: compiles the library's headers into that
folder, once for each compiler that a case asks for. Nine tenths of a case's time are its headers'.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys


def directives(text):
    return dict(re.findall(r"(?m)^// (expect|compiler|flags): (.+)$", text))


def command_of(compiler, include):
    return [compiler, "-std=c++20", "-Wall", "-Wextra", f"-I{include}"]


def headers_in(folder, compiler):
    return folder / pathlib.Path(compiler).name / "headers.hpp"


def precompile(compiler, include, folder):
    """What is wrong with the headers, or None."""
    headers = headers_in(folder, compiler)
    headers.parent.mkdir(parents=True, exist_ok=True)
    headers.write_text("#include <threading/threading.hpp>\n", encoding="utf-8")
    # Each compiler looks for what it has made itself, under a name of its own.
    output = headers.with_suffix(".hpp.pch" if "clang" in headers.parent.name else ".hpp.gch")
    run = subprocess.run([*command_of(compiler, include), "-x", "c++-header", str(headers), "-o", str(output)],
                         capture_output=True, text=True, check=False)
    return None if run.returncode == 0 else run.stderr


def compile_case(command, source, bad):
    arguments = [*command, *(["-DBAD"] if bad else []), str(source)]
    return subprocess.run(arguments, capture_output=True, text=True, check=False)


def judge(compiler, include, source, precompiled=None):
    """What is wrong with the case, or None."""
    case = directives(source.read_text(encoding="utf-8"))
    if "expect" not in case:
        return "the case names no expected diagnostic"
    compiler = case.get("compiler", compiler)
    if not shutil.which(compiler):
        return f"the compiler {compiler} is not installed"
    command = [*command_of(compiler, include), "-fsyntax-only"]
    if precompiled:
        command += ["-include", str(headers_in(precompiled, compiler))]
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
    parser.add_argument("--precompiled", type=pathlib.Path)
    parser.add_argument("--precompile", action="store_true")
    parser.add_argument("cases", type=pathlib.Path, nargs="+")
    options = parser.parse_args()
    if options.precompile:
        compilers = {directives(case.read_text(encoding="utf-8")).get("compiler", options.compiler)
                     for case in options.cases}
        # A case says itself that its compiler is not there.
        problems = {compiler: precompile(compiler, options.include, options.precompiled)
                    for compiler in sorted(compilers) if shutil.which(compiler)}
    else:
        problems = {case.name: judge(options.compiler, options.include, case, options.precompiled)
                    for case in options.cases}
    problems = {name: problem for name, problem in problems.items() if problem}
    for name, problem in problems.items():
        print(f"{name}: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
