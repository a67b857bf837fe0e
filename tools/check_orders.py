#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_orders.py: every memory order is spelled and argued.

For each atomic operation in include/ and src/, the comment on the lines of its statement, or above it in the same paragraph (no blank
line between), must
  - name the partner of an acquire, release or acq_rel: "pairs with ...", "as above" after one that does, or a tag
    such as A1 that another comment of the file explains;
  - say of a relaxed, unless it is the failure order beside another, why nothing hangs on it: "relaxed: ...";
  - give a seq_cst a number that can be cited: "S1: ...".
Operations without an order (they would be seq_cst by default) and standalone fences are findings too.
"""

import re

import cpp_text

ORDER = re.compile(r"\bmemory_order(?:_|::)(relaxed|consume|acquire|release|acq_rel|seq_cst)\b")
OPERATION = re.compile(
    r"(?:\.|->)\s*(load|store|exchange|fetch_\w+|compare_exchange_(?:weak|strong)|test_and_set)\s*\("
)
# Keeps the compiler from reordering; orders no thread.
SIGNAL_FENCE = re.compile(r"\batomic_signal_fence\s*\([^)]*\)")
FENCE = re.compile(r"\batomic_thread_fence\s*\(")

ARGUMENT = {
    "acquire": re.compile(r"pairs with|as above", re.I),
    "release": re.compile(r"pairs with|as above", re.I),
    "acq_rel": re.compile(r"pairs with|as above", re.I),
    "relaxed": re.compile(r"\brelaxed\b", re.I),
    "seq_cst": re.compile(r"\bS\d+\b"),
}
TAG = re.compile(r"\b[AR]\d+\b")
# A paragraph of code longer than this hides its comment.
REACH = 24



def check(root):
    for path in cpp_text.sources(root, "include", "src"):
        lines = cpp_text.split((root / path).read_text(encoding="utf-8"))
        for number, problem in file_problems(lines):
            yield f"{path}:{number}: {problem}"


def file_problems(lines):
    code = "\n".join(SIGNAL_FENCE.sub("", line.code) for line in lines)
    for match in FENCE.finditer(code):
        yield line_of(code, match.start()), "a standalone fence, which no thread sanitizer understands"
    covered = []
    for match in OPERATION.finditer(code):
        end = closing_parenthesis(code, match.end() - 1)
        call = code[match.start() : end]
        first, last = line_of(code, match.start()), line_of(code, end)
        orders = ORDER.findall(call)
        covered.append((match.start(), end))
        if not orders:
            if not takes_order_from_caller(call):
                yield first, f"{match[1]}() without a memory order"
            continue
        yield from order_problems(lines, first, last, orders)
    for match in ORDER.finditer(code):
        if not any(start <= match.start() < end for start, end in covered):
            line = line_of(code, match.start())
            yield from order_problems(lines, line, line, [match[1]])


def order_problems(lines, first, last, orders):
    comment = comment_about(lines, first, last)
    for index, order in enumerate(orders):
        if order == "relaxed" and index > 0:
            continue
        if order == "consume":
            yield first, "consume is not implemented by any compiler; use acquire"
        elif not ARGUMENT[order].search(comment) and not (order != "relaxed" and has_known_tag(lines, comment)):
            yield first, f"{order} without its argument in a comment"


def has_known_tag(lines, comment):
    """Whether a tag in this comment, A1 or R2, stands elsewhere in the file too."""
    everywhere = TAG.findall(" ".join(line.comment for line in lines))
    return any(everywhere.count(tag) > 1 for tag in TAG.findall(comment))


def comment_about(lines, first, last):
    while last < len(lines) and not re.search(r"[;{}]", lines[last - 1].code):
        last += 1  # the statement goes on; its comment may stand at its end
    parts = [line.comment for line in lines[first - 1 : last]]
    number = first - 1
    while number > 0 and first - number <= REACH:
        line = lines[number - 1]
        if line.is_blank():
            break
        parts.insert(0, line.comment)
        number -= 1
    return " ".join(parts)


def takes_order_from_caller(call):
    """`word.load(order)` in a wrapper; and load() of something that is no atomic takes other arguments."""
    return re.search(r"\border\b|\bsuccess\b|\bfailure\b", call) is not None


def closing_parenthesis(code, start):
    depth = 0
    for position in range(start, len(code)):
        if code[position] == "(":
            depth += 1
        elif code[position] == ")":
            depth -= 1
            if depth == 0:
                return position
    return len(code)


def line_of(code, position):
    return code.count("\n", 0, position) + 1


if __name__ == "__main__":
    cpp_text.main(check, __doc__)
