# SPDX-License-Identifier: MIT
"""Instructions of one operation, counted by valgrind: what is left when the noise hides a difference of a few per cent.

Two runs that differ in nothing but the number of operations; everything else cancels out. An instruction is no time: an
atomic one costs twenty others. Compare only what does the same kind of things.
"""

import re
import subprocess

FEW, MANY = 1_000, 11_000


def count(program, row, rival, steps):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, "--steps", str(steps), row, rival]
    process = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    found = re.search(r"Collected : (\d+)", process.stderr)
    return int(found[1]) if process.returncode == 0 and found else None


def per_operation(program, row, rival):
    few, many = (count(program, row, rival, steps) for steps in (FEW, MANY))
    return None if few is None or many is None else (many - few) / (MANY - FEW)
