# SPDX-License-Identifier: MIT
"""What CPython's test runner prints, read for run_suites.py."""

import re

# The name of one test and its outcome in unittest's verbose output, over one line or several. What a skipped test took
# stands in front of the next one.
DOCTEST = re.compile(r"^Doctest: ([\w.]+) \.\.\. ok", re.M)
CASE = re.compile(r"^(?:[\d.]+s )?([\w.]+) \(([\w.]+)\)(?:\n[^\n]*?)? \.\.\. ", re.M)
OUTCOME = re.compile(r"(ok|FAIL|ERROR|skipped .*|expected failure|unexpected success)\s*$")


def parse(text):
    """{test: outcome} from a verbose run."""
    results = {}
    starts = list(CASE.finditer(text))
    for match, following in zip(starts, starts[1:] + [None]):
        piece = text[match.end() : following.start() if following else len(text)]
        piece = piece.split("\n======", 1)[0].split("\n------", 1)[0]
        outcome = None
        for line in piece.splitlines():
            found = OUTCOME.search(line)
            if found:
                outcome = found.group(1)
                break
        owner = match.group(2)
        if owner.endswith("." + match.group(1)):  # 3.11 and later print the whole name
            owner = owner[: -len(match.group(1)) - 1]
        name = ".".join(owner.split(".")[-1:]) + "." + match.group(1)
        key = name
        count = 2
        while key in results:
            key = f"{name}#{count}"
            count += 1
        results[key] = "lost" if outcome is None else outcome.split()[0]
    for number, name in enumerate(DOCTEST.findall(text)):
        results[f"Doctest.{name}#{number}"] = "ok"
    # What is reported in the details counts, whatever was printed in between.
    for kind, test, owner in re.findall(r"^(FAIL|ERROR): (\w+) \(([\w.]+)\)", text, re.M):
        if owner.endswith("." + test):
            owner = owner[: -len(test) - 1]
        results[owner.split(".")[-1] + "." + test] = kind
    for key, value in results.items():
        if value == "lost":
            results[key] = "ok"  # its line was torn by other output; a failure would be in the details
    return results


def count_run(text):
    """How many tests unittest says it ran: parse() must have found as many."""
    return sum(int(n) for n in re.findall(r"^Ran (\d+) tests? in", text, re.M))


def failures(results):
    return {test for test, outcome in results.items() if outcome in ("FAIL", "ERROR")}
