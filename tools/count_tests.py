#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""count_tests.py FILE...: adds up JUnit files and prints one line, such as `123 passed, 0 failed, 2 skipped`.

The files are what `ctest --output-junit` writes. An entry that runs a suite of its own may leave its cases, as JUnit
too, in <directory of FILE>/results/<name of the entry>.xml ('/' in a name becomes '_'): they are then counted in place
of the entry. Exit status 1 if a test failed, 2 if nothing was run or a file is missing.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


class Counts:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, outcome):
        setattr(self, outcome, getattr(self, outcome) + 1)

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def outcome_of(case):
    if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
        return "failed"
    if case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
        return "skipped"
    return "passed"


def cases_of(path):
    return ElementTree.parse(path).getroot().iter("testcase")


def count(path, counts, failures):
    for entry in cases_of(path):
        name = entry.get("name", "?")
        outcome = outcome_of(entry)
        details = path.parent / "results" / (name.replace("/", "_") + ".xml")
        inner = [outcome_of(case) for case in cases_of(details)] if details.exists() else []
        # A suite that died after its last case has failed, whatever its cases say.
        if outcome == "failed" and "failed" not in inner:
            inner.append("failed")
        for each in inner or [outcome]:
            counts.add(each)
        if "failed" in inner or outcome == "failed":
            failures.append(f"{path.parent.name}: {name}")


def main(arguments):
    counts = Counts()
    failures = []
    missing = False
    for argument in arguments:
        path = pathlib.Path(argument)
        if path.exists():
            count(path, counts, failures)
        else:
            print(f"count_tests: {path} is missing: its tests never ran", file=sys.stderr)
            counts.add("failed")
            missing = True
    for failure in failures:
        print(f"failed: {failure}")
    print(counts)
    if missing or counts.passed + counts.failed == 0:
        return 2
    return 1 if counts.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
