#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes a copy of the library's sources in which every seeded bug of table.toml can be switched on.

Each entry names a file and a piece of its text, in which <<< and >>> enclose what the bug replaces. The piece must
occur exactly once, blanks aside; otherwise this fails, so that the table cannot fall behind the sources.

    apply.py TABLE SOURCE-ROOT TARGET

In the copy the enclosed part becomes a choice by ::lab::mutant(number): an expression by ?:, a statement by if.
"""
import pathlib
import re
import sys
import tomllib


def fail(message):
    sys.exit(f"mutants: {message}")


def pattern_of(text):
    """The text as a regular expression that takes any amount of white space where the text has some."""
    words = text.split()
    return r"\s+".join(re.escape(word) for word in words)


def locate(source, entry):
    parts = re.fullmatch(r"(.*)<<<(.*)>>>(.*)", entry["find"], re.S)
    if parts is None:
        fail(f"{entry['number']}: no <<< and >>> in its text")
    # Marks touch what they enclose, so blanks beside them are part of the context.
    pieces = [pattern_of(piece) for piece in parts.groups()]
    glue = [r"\s*", r"\s*"]
    pattern = f"({pieces[0]}){glue[0]}({pieces[1]}){glue[1]}({pieces[2]})"
    found = list(re.finditer(pattern, source))
    if len(found) != 1:
        fail(f"{entry['number']} ({entry['name']}): its text occurs {len(found)} times in {entry['file']}")
    return found[0].span(2)


def replacement(original, entry):
    switch = f"::lab::mutant({entry['number']})"
    if entry.get("kind", "expression") == "statement":
        return f"if ({switch}) {{ {entry['put']} }} else {{ {original} }}"
    return f"({switch} ? ({entry['put']}) : ({original}))"


def render(source, begin, end, spans):
    """source[begin:end] with the spans in it replaced; spans may lie in each other."""
    text = ""
    while spans:
        (first, last), several = spans.pop(0)
        if last > end:
            fail(f"{several[0]['number']} ({several[0]['name']}): crosses the border of another entry")
        inner = []
        while spans and spans[0][0][0] < last:
            inner.append(spans.pop(0))
        part = render(source, first, last, inner)
        for entry in several:
            part = replacement(part, entry)
        text += source[begin:first] + part
        begin = last
    return text + source[begin:end]


def mutate(source, entries):
    by_span = {}
    for entry in entries:
        by_span.setdefault(locate(source, entry), []).append(entry)
    spans = sorted(by_span.items(), key=lambda item: (item[0][0], -item[0][1]))
    return render(source, 0, len(source), spans)


def write_if_changed(path, text):
    """Keeps the time stamp of a file that stays the same: the build then has nothing to do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main():
    table, root, target = (pathlib.Path(argument) for argument in sys.argv[1:4])
    entries = tomllib.loads(table.read_text())["mutant"]
    # A bug in two places has two entries of one number and name.
    names = {}
    for entry in entries:
        if names.setdefault(entry["number"], entry["name"]) != entry["name"]:
            fail(f"{entry['number']} has two names")
    by_file = {}
    for entry in entries:
        by_file.setdefault(entry["file"], []).append(entry)
    for folder in ("include", "src"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".hpp", ".cpp"):
                continue
            name = path.relative_to(root).as_posix()
            write_if_changed(target / name, mutate(path.read_text(), by_file.pop(name, [])))
    if by_file:
        fail(f"no such file: {', '.join(by_file)}")


if __name__ == "__main__":
    main()
