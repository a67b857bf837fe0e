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
    short = run_suites.version_of(python)[0]
    environment = dict(os.environ, PYTHONPATH=str((package / short).resolve()))
    done = subprocess.run([python, HERE / "compare.py", str(rounds)], env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def table(results):
    names = [row["name"] for row in results[0]["rows"]]
    lines = ["| | bar | " + " | ".join(f"{each['version']}: ratio (ns)" for each in results) + " |",
             "|---|---|" + "---|" * len(results)]
    for name in names:
        cells = []
        for each in results:
            row = next((r for r in each["rows"] if r["name"] == name), None)
            if row is None:
                cells.append("")
                continue
            missed = row["bar"] is not None and row["ratio"] > row["bar"]
            ratio = f"{row['ratio']:.3f}"
            cells.append(f"{'**' + ratio + '**' if missed else ratio} ({row['ours']:.0f} / {row['stdlib']:.0f})")
        bar = next(r["bar"] for r in results[0]["rows"] if r["name"] == name)
        lines.append(f"| {name} | {'' if bar is None else bar} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page(results, rounds):
    return f"""# Python: ours against the standard library

Each ratio is ours / stdlib, both measured in one process, in turns, {rounds} rounds: of the minima where one thread
works alone, of the medians where threads sleep and wake. Bold: misses its bar. Written by `./dev bench python` on a
machine with {os.cpu_count()} processors; ratios of what sleeps depend on what else runs there.

{table(results)}

![the same as a chart](python.svg)
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--package", type=pathlib.Path, required=True, help="where <version>/threadingpp is")
    parser.add_argument("--python", action="append", default=[], help="an interpreter (default: 3.11 and the newest)")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parent.parent / "docs" / "performance")
    options = parser.parse_args()
    pythons = options.python or [p for p in run_suites.find_interpreters()
                                 if (options.package / run_suites.version_of(p)[0]).is_dir()]
    if not options.python and len(pythons) > 2:
        pythons = [p for p in pythons if run_suites.version_of(p)[0] == "3.11"] + pythons[-1:]
    results = [measure(python, options.package, options.rounds) for python in pythons]
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "python.md").write_text(page(results, options.rounds), encoding="utf-8")
    newest = results[-1]
    plot.bars(options.out / "python.svg", f"Python {newest['version']}: threading++ and the standard library",
              [(row["name"], [("threading++", row["ours"], True), ("stdlib", row["stdlib"], False)],
                row["bar"] * row["stdlib"] if row["bar"] else None) for row in newest["rows"]])
    print(table(results))


if __name__ == "__main__":
    main()
