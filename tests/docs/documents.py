# SPDX-License-Identifier: MIT
"""The Markdown files of this repository, and the code in them."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]


def documents():
    """README.md and everything under docs/."""
    yield ROOT / "README.md"
    yield from sorted(ROOT.glob("docs/**/*.md"))


def links(path):
    """What the document links to, but for the web."""
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.S)
    return [target for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose) if "://" not in target]


class Block:
    """A fenced block: its language, its text, its first line's number, and the comment `<!-- … -->` right above it."""

    def __init__(self, path, number, language, text, mark):
        self.where = f"{path.relative_to(ROOT)}:{number}"
        self.path = path
        self.language = language
        self.text = text
        self.mark = mark


def blocks(path):
    fenced = re.compile(r"^(?:<!-- (?P<mark>.*?) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
    content = path.read_text(encoding="utf-8")
    for match in fenced.finditer(content):
        number = content.count("\n", 0, match.start("text")) + 1
        yield Block(path, number, match["language"], match["text"], match["mark"])
