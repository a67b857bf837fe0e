#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py --package FOLDER [--python INTERPRETER]… [--rounds N] [--out FOLDER]: the Python benchmark in each interpreter.

Writes python.md and python.svg (and .png where a converter is installed) into --out, and prints the table.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "tests" / "python")]
import plot  # noqa: E402
import run_suites  # noqa: E402


def measure(python, package, rounds):
    folder = (package / run_suites.version_of(python)[0]).resolve()
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(folder), str(folder / "bench")]))
    print(folder.name, file=sys.stderr, flush=True)
    done = subprocess.run([python, HERE / "compare.py", str(rounds)], env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def time_of(ns):
    return f"{ns / 1000:.3g} µs" if ns >= 1000 else f"{ns:.3g} ns"


def cell(row):
    ratio = f"{row['ratio']:.3f}" if row["ratio"] >= 0.001 else f"{row['ratio']:.6f}"
    figures = f"{time_of(row['ours'])} / {time_of(row['stdlib'])}"
    if "ours_switches" in row:
        figures += f"; {row['ours_switches']:.1f} / {row['stdlib_switches']:.1f} switches"
    return f"{'**' + ratio + '**, missed' if row['missed'] else ratio} ({figures})"


def bar_of(row):
    if row["bar_ns"] is not None:
        return time_of(row["bar_ns"])
    return "" if row["bar"] is None else f"{row['bar']:.2f}"


def table(results):
    by_name = [{row["name"]: row for row in each["rows"]} for each in results]
    lines = ["| ours / stdlib | at most | " + " | ".join(each["version"] for each in results) + " |",
             "|---|---|" + "---|" * len(results)]
    for name, row in by_name[-1].items():
        cells = [cell(rows[name]) if name in rows else "" for rows in by_name]
        lines.append(f"| {name} | {bar_of(row)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page(results, rounds):
    return f"""# Python: ours against the standard library

Each figure is a ratio of medians, ours / stdlib, both measured in one process, in turns, {rounds} rounds. Bold: misses its
bar. A switch is one of threads, voluntary or not, by the kernel. Written by `./dev bench python` on a machine with
{os.cpu_count()} processors; ratios of what sleeps depend on what else runs there.

- *one CPU*: both threads are pinned to one processor. *a CPU each*: to one each. *unpinned*: they go where the kernel puts
  them, on either or both, as the switches tell: a trip between two processors that sleeps has 2, one on a single processor
  5 to 9, and one that spins none.
- *C++ and Python answer each other*: a C++ thread and a Python thread over two Events. Ours are shared
  (`threading/python.hpp`), and the C++ thread never has the GIL; with the stdlib's it takes the GIL for each answer.
- *set() by C++ while Python computes*: what the call costs a C++ thread, ours without the GIL, the stdlib's with it.

{table(results)}

![the same as a chart](python.svg)
"""


def limit_of(row):
    if row["bar_ns"] is not None:
        return row["bar_ns"]
    return row["bar"] * row["stdlib"] if row["bar"] is not None else None


def chosen_interpreters(found):
    """3.11, which the bars were set for, and the newest."""
    return [python for python in found if run_suites.version_of(python)[0] == "3.11" or python == found[-1]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--package", type=pathlib.Path, help="where <version>/threadingpp is")
    parser.add_argument("--python", action="append", default=[], help="an interpreter (default: 3.11 and the newest)")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parent.parent / "docs" / "performance")
    parser.add_argument("--list", action="store_true", help="only say which interpreters would be measured")
    options = parser.parse_args()
    pythons = options.python or chosen_interpreters(run_suites.one_of_each_minor(run_suites.find_interpreters()))
    if options.list:
        print(";".join(str(python) for python in pythons))
        return
    results = [measure(python, options.package, options.rounds) for python in pythons]
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "python.md").write_text(page(results, options.rounds), encoding="utf-8")
    newest = results[-1]
    plot.bars(options.out / "python.svg", f"Python {newest['version']}: threading++ and the standard library",
              [(row["name"], [("threading++", row["ours"], True), ("stdlib", row["stdlib"], False)], limit_of(row))
               for row in newest["rows"]])
    print(table(results))
    missed = [f"{each['version']}: {row['name']}" for each in results for row in each["rows"] if row["missed"]]
    print("misses its bar: " + "; ".join(missed) if missed else "every bar is met", file=sys.stderr)


if __name__ == "__main__":
    main()
