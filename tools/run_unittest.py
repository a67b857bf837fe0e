#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run_unittest.py ENTRY FILE: runs the unittest cases of a file, as `python3 -m unittest FILE` would.

If the environment names a folder in THREADINGPP_RESULTS, the outcome of each case is left there as JUnit under the name
of the ctest entry, for count_tests.py.
"""

import importlib.util
import os
import pathlib
import sys
import unittest
from xml.etree import ElementTree


class Recorder(unittest.TextTestResult):
    """Remembers, for each case, whether it passed, failed or was skipped."""

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.outcomes = {}

    def startTest(self, test):
        super().startTest(test)
        self.outcomes[test.id()] = "passed"

    def _set(self, test, outcome):
        self.outcomes[test.id()] = outcome

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._set(test, "failure")

    def addError(self, test, err):
        super().addError(test, err)
        self._set(test, "failure")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._set(test, "failure")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._set(test, "skipped")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._set(test, "failure")


def load(path):
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return unittest.defaultTestLoader.loadTestsFromModule(module)


def write_junit(outcomes, entry, folder):
    suite = ElementTree.Element("testsuite", name=entry, tests=str(len(outcomes)))
    for name, outcome in outcomes.items():
        case = ElementTree.SubElement(suite, "testcase", name=name)
        if outcome != "passed":
            ElementTree.SubElement(case, outcome)
    ElementTree.ElementTree(suite).write(folder / (entry.replace("/", "_") + ".xml"), encoding="utf-8")


def main(entry, file):
    result = unittest.TextTestRunner(resultclass=Recorder, verbosity=2).run(load(pathlib.Path(file).resolve()))
    folder = os.environ.get("THREADINGPP_RESULTS")
    if folder:
        write_junit(result.outcomes, entry, pathlib.Path(folder))
    if result.testsRun == 0:
        print(f"{file} has no tests", file=sys.stderr)
        return 1
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
