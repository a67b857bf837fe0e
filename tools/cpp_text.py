# SPDX-License-Identifier: MIT
"""What the checkers share: C++ sources taken apart into code and comments, and the way findings are reported."""

import argparse
import pathlib
import sys

SUFFIXES = (".hpp", ".cpp", ".h", ".c")


class Line:
    """One line of a source: its code with the text of comments and literals removed, its comment, and its text."""

    def __init__(self, number, code, comment, text):
        self.number = number
        self.code = code
        self.comment = comment
        self.text = text

    def is_blank(self):
        return not self.text.strip()

    def is_comment_only(self):
        return bool(self.comment.strip()) and not self.code.strip()


def split(text):
    """The lines of a C++ source, as a list of Line."""
    lines = []
    in_block = False
    for number, raw in enumerate(text.split("\n"), start=1):
        code, comment = [], []
        i = 0
        while i < len(raw):
            two = raw[i : i + 2]
            if in_block:
                if two == "*/":
                    in_block = False
                    i += 2
                else:
                    comment.append(raw[i])
                    i += 1
            elif two == "/*":
                in_block = True
                i += 2
            elif two == "//":
                comment.append(raw[i + 2 :])
                break
            elif raw[i] in "\"'" and not _is_digit_separator(raw, i):
                end = _end_of_literal(raw, i)
                code.append(raw[i] + raw[i])
                i = end
            else:
                code.append(raw[i])
                i += 1
        lines.append(Line(number, "".join(code), "".join(comment), raw))
    return lines


def _is_digit_separator(raw, i):
    return raw[i] == "'" and i > 0 and raw[i - 1].isalnum() and i + 1 < len(raw) and raw[i + 1].isalnum()


def _end_of_literal(raw, start):
    i = start + 1
    while i < len(raw) and raw[i] != raw[start]:
        i += 2 if raw[i] == "\\" else 1
    return i + 1


def sources(root, *folders):
    """The C++ files below these folders of `root`, as paths relative to it, in order."""
    found = []
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SUFFIXES and path.is_file():
                found.append(path.relative_to(root))
    return found


def main(check, description):
    """Runs check(root), which yields 'file:line: text' findings. Exit status 1 if there are any."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    findings = list(check(parser.parse_args().root))
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings" if findings else "nothing found", file=sys.stderr)
    sys.exit(1 if findings else 0)
