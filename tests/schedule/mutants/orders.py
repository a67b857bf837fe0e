#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every acquire, release, acq_rel and seq_cst in include/ and src/ has a seeded bug that weakens it, or a reason.

    orders.py TABLE REASONS SOURCE-ROOT

A seeded bug of TABLE (table.toml) counts when what it replaces holds the order and what it puts there is an order, too.
REASONS (reasons.toml) names files, or pieces of their text, whose orders need none, and says why. A reason that excuses
nothing any more is reported, and fails nothing.
"""
import pathlib
import re
import sys
import tomllib

import apply

ORDER = re.compile(r"\bmemory_order(?:_|::)(acquire|release|acq_rel|seq_cst)\b")


def orders_of(source):
    """Where the orders are; not those in comments."""
    for match in ORDER.finditer(source):
        line_begin = source.rfind("\n", 0, match.start()) + 1
        if "//" not in source[line_begin : match.start()]:
            yield match


def excused_span(source, reason):
    if "find" not in reason:
        return 0, len(source)
    found = list(re.finditer(apply.pattern_of(reason["find"]), source))
    if not found:
        return 0, 0
    if len(found) != 1:
        apply.fail(f"a reason's text occurs {len(found)} times in {reason['file']}: {reason['find']}")
    return found[0].span()


def main():
    table, reasons, root = (pathlib.Path(argument) for argument in sys.argv[1:4])
    bugs = [entry for entry in tomllib.loads(table.read_text())["mutant"] if "memory_order" in entry["put"]]
    excuses = tomllib.loads(reasons.read_text())["reason"]
    used = set()
    counts = {"seeded": 0, "excused": 0}
    status = 0
    for folder in ("include", "src"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".hpp", ".cpp"):
                continue
            name = path.relative_to(root).as_posix()
            source = path.read_text()
            spans = [apply.locate(source, entry) for entry in bugs if entry["file"] == name]
            excused = [(number, excused_span(source, reason)) for number, reason in enumerate(excuses)
                       if reason["file"] == name]
            for match in orders_of(source):
                if any(begin <= match.start() and match.end() <= end for begin, end in spans):
                    counts["seeded"] += 1
                    continue
                numbers = [number for number, (begin, end) in excused if begin <= match.start() < end]
                used.update(numbers)
                counts["excused"] += bool(numbers)
                if not numbers:
                    line = source.count("\n", 0, match.start()) + 1
                    print(f"{name}:{line}: {match[1]} has neither a seeded bug nor a reason to need none")
                    status = 1
    for number, reason in enumerate(excuses):
        if number not in used:
            print(f"reasons.toml: excuses nothing: {reason['file']}: {reason.get('find', 'the file')}")
    print(f"{counts['seeded']} orders with a seeded bug, {counts['excused']} with a reason")
    sys.exit(status)


if __name__ == "__main__":
    main()
