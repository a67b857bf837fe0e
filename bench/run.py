#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures the rivals: a process for each row, rival, placement and repetition, in random order.

Prints a table with our ratio to the best peer and to the physical limit, marks what misses its target, and writes CSV,
SVG and PNG. Times are medians over the processes; the spread is the middle half of them, in per cent of the median. A
target is met or missed "within the error" if it lies among the ratios that chance might have given instead (verdicts.py);
rows that hang on that are measured again, with twice as many processes more. Ends with 1 if any process failed.
"""

import argparse
import csv
import fnmatch
import math
import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import instructions
import plot
import publish
import variants
from rows import CURVES, LIMIT, OURS, ROWS
from verdicts import Measured, Verdict, summary

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs" / "performance"
ADVERSARY_MILLISECONDS = 15_000  # two thirds count who is served, one third the longest wait


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=HERE.parent / "build" / "bench", type=Path, help="the build directory")
    parser.add_argument("--quick", action="store_true", help="3 processes a row, short ones: under three minutes")
    parser.add_argument("--runs", type=int, help="processes for each row, rival and placement (9)")
    parser.add_argument("--milliseconds", type=int, help="how long each of them measures (60; 15,000 with --adversary)")
    parser.add_argument("--rows", default="*", help="comma-separated patterns: 'lock_*,queue_*'")
    parser.add_argument("--rivals", default="*", help="comma-separated patterns; ours and the limit are always in")
    parser.add_argument("--placements", default="one,free,apart", help="one, free, apart, late (see harness.hpp)")
    parser.add_argument("--designs", action="store_true", help="also the designs that were rejected")
    parser.add_argument("--scale", action="store_true", help="the cost curves instead of the rows")
    parser.add_argument("--adversary", action="store_true", help="instead: threads that re-lock at once, for ten seconds")
    parser.add_argument("--instructions", action="store_true", help="instead: count instructions, with callgrind")
    parser.add_argument("--variants", nargs="?", const="all", metavar="NAME,NAME",
                        help="instead: the library beside changed ones, bench/variants; with --publish into their page")
    parser.add_argument("--build-only", action="store_true", help="with --variants: builds them, and measures nothing")
    parser.add_argument("--publish", action="store_true",
                        help="all but the variants, into docs/performance and README.md: some twenty-five minutes, on a quiet machine")
    parser.add_argument("--max-count", type=int, default=1_000_000, help="where the cost curves end")
    parser.add_argument("--seed", type=int, default=None, help="of the random order")
    parser.add_argument("--out", type=Path, help="where CSV, SVG and PNG go (the build directory)")
    options = parser.parse_args()
    if options.publish and (options.rows, options.rivals) != ("*", "*"):
        parser.error("what is published is all of it")
    options.runs = options.runs or (3 if options.quick else 9)
    options.adversary_milliseconds = options.milliseconds or ADVERSARY_MILLISECONDS
    options.milliseconds = options.milliseconds or (12 if options.quick else 60)
    options.failures = []  # a line for each process that failed, of any part
    options.program = options.build / "bench" / "rivals"
    options.out = options.out or (DOCS if options.publish else options.build / "bench" / "results")
    if not options.program.exists():
        sys.exit(f"{options.program} is not there: build with THREADINGPP_BUILD_BENCH=ON")
    return options


def matches(name, patterns):
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns.split(","))


def run_all(options, jobs, runs=None, before=None):
    """jobs: (key, command arguments), `runs` times each. Returns: key → Measured, added to what was there `before`."""
    results = defaultdict(Measured, before or {})
    queue = [job for job in jobs for _ in range(runs or options.runs)]
    random.Random(options.seed).shuffle(queue)
    begun = time.monotonic()
    for done, (key, words) in enumerate(queue):
        measured = results[key]  # there also if none of its processes says anything
        try:
            process = subprocess.run([options.program, *words], capture_output=True, text=True, timeout=120, check=False)
            why = f"ended with {process.returncode}: {process.stderr.strip()}" if process.returncode else None
        except subprocess.TimeoutExpired:
            why = "did not end"
        if why is None:
            measured.add(process.stdout)
        else:
            options.failures.append(f"{' '.join(words)}: {why}")
        if sys.stderr.isatty() or done + 1 == len(queue):
            print(f"\r{done + 1} of {len(queue)} processes, {time.monotonic() - begun:.0f} s", end="", file=sys.stderr)
    print(file=sys.stderr)
    return results


def row_jobs(options):
    listing = subprocess.run([options.program, "--list"], capture_output=True, text=True, check=True).stdout
    offered = defaultdict(list)
    for line in listing.splitlines():
        row, rival = line.split()
        wanted = rival in (OURS, LIMIT) or matches(rival, options.rivals)
        if wanted and (options.designs or not rival.startswith("design:")):
            offered[row].append(rival)
    for row in ROWS:
        if not matches(row.name, options.rows):
            continue
        for placement in options.placements.split(","):
            if placement not in row.targets and placement != "late":
                continue
            for rival in offered[row.name]:
                yield (row.name, placement, rival), (row.name, rival, placement, str(options.milliseconds))


def number(value, digits=2):
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.{digits}f}"


def table(options, results):
    head = ("row", "where", "ns", "± %", "limit", "best peer", "ns", "to peer", "to limit", "switches", "least/most",
            "longest ms", "target")
    lines = []
    for row in ROWS:
        for placement in options.placements.split(","):
            verdict = Verdict(row, placement, results)
            ours = verdict.ours
            if verdict.has_failed:
                lines.append((row.title, placement, *["–"] * (len(head) - 3), str(verdict)))
            if not ours:
                continue
            best = verdict.rivals.get(verdict.best)
            lines.append((row.title, placement, number(ours.median()), f"{ours.spread():.0f}",
                          number(verdict.limit.median() if verdict.limit else None), verdict.best or "–",
                          number(best.median() if best else None), number(verdict.to_peer), number(verdict.to_limit),
                          number(ours.median("switches")), number(ours.median("fairness")),
                          number(ours.worst("longest_ms")), str(verdict)))
    return head, lines


def print_table(head, lines):
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    for line in [head, *lines]:
        print("  ".join(cell.ljust(width) if i in (0, 1, 5, 12) else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(line, widths))).rstrip())


def markdown(head, lines):
    rows = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(rows + ["| " + " | ".join(line) + " |" for line in lines]) + "\n"


def write_csv(path, results, first):
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow([*first, "processes", "ns", "quarter", "three_quarters", "switches", "least_to_most",
                      "longest_ms", "bytes", "threads"])
        for key, m in sorted(results.items(), key=lambda item: str(item[0])):
            if not m.values["ns"]:
                continue
            out.writerow([*key, len(m.values["ns"]), f"{m.median():.3f}", *(f"{v:.3f}" for v in m.middle()),
                          *(m.median(k) if m.values[k] else "" for k in ("switches", "fairness")),
                          m.worst("longest_ms") if m.values["longest_ms"] else "",
                          m.median("bytes") if m.values["bytes"] else "",
                          m.worst("threads") if m.values["threads"] else ""])


def draw(options, results):
    parts = {"uncontended": [], "waking": [], "contended": [], "threads_and_timers": []}
    for row in ROWS:
        for placement in options.placements.split(","):
            verdict = Verdict(row, placement, results)
            if not verdict.ours:
                continue
            ranked = sorted(((r, m.median(), r == OURS) for r, m in verdict.rivals.items() if r != LIMIT),
                            key=lambda bar: bar[1])
            where = {"one": " (one processor)", "free": "", "apart": " (two processors)"}.get(placement, f" ({placement})")
            group = (row.title + where, ranked, verdict.limit.median() if verdict.limit else None)
            if row.name.startswith("contended"):
                parts["contended"].append(group)
            elif row.name.startswith(("thread", "timers")):
                parts["threads_and_timers"].append(group)
            elif set(row.targets) == {"free"}:
                parts["uncontended"].append(group)
            else:
                parts["waking"].append(group)
    for name, groups in parts.items():
        if groups:
            plot.bars(options.out / f"{name}.svg", name.replace("_", " "), groups)


def print_sizes(options):
    text = subprocess.run([options.program, "--sizes"], capture_output=True, text=True, check=True).stdout
    sizes = defaultdict(dict)
    rivals = []
    for line in text.splitlines():
        kind, rival, size = line.split()
        sizes[kind][rival] = size
        if rival not in rivals:
            rivals.append(rival)
    head = ("bytes", *rivals)
    lines = [(kind, *(row.get(rival, "–") for rival in rivals)) for kind, row in sizes.items()]
    print()
    for line in [head, *lines]:
        print("  ".join(cell.rjust(11) for cell in line))
    return markdown(head, lines)


def close_jobs(options, results):
    """The processes of the rows that chance may have decided, without the rivals that are far behind there."""
    verdicts = {(row.name, where): Verdict(row, where, results) for row in ROWS for where in options.placements.split(",")}
    for key, words in row_jobs(options):
        name, where, rival = key
        verdict = verdicts[(name, where)]
        if key in results and verdict.is_close and verdict.may_be_best(rival):
            yield key, words


def measure_rows(options):
    results = run_all(options, list(row_jobs(options)))
    if not options.quick:
        close = list(close_jobs(options, results))
        print(f"{len({key[:2] for key, _ in close})} rows within the error of measurement: three times as many processes there")
        results = run_all(options, close, 2 * options.runs, results)
    head, lines = table(options, results)
    print_table(head, lines)
    sizes = print_sizes(options)
    print("\n" + summary(Verdict(row, placement, results) for row in ROWS for placement in options.placements.split(",")))
    write_csv(options.out / "rows.csv", results, ("row", "placement", "rival"))
    draw(options, results)
    if options.publish:
        rows = {row.name: row for row in ROWS}
        publish.replace(DOCS / "README.md", "rows", markdown(head, lines) + "\n" + sizes)
        publish.replace(HERE.parent / "README.md", "headlines",
                        publish.headlines(lambda name, placement: Verdict(rows[name], placement, results)))
    else:
        (options.out / "table.md").write_text(markdown(head, lines) + "\n" + sizes)


def curve_verdict(curve, points):
    """What stands beside the last point. points: count → Measured. Nothing is judged if the last one is not there."""
    last = points.get(curve.counts[-1])
    if last and not last.values["ns"]:
        return "FAILED"
    if last is None or not any(curve.bounds):
        return ""
    growth = last.median() / max(points[100].median(), 1e-3) if 100 in points and points[100].values["ns"] else None
    missed = curve.bounds.missed(growth=growth, bytes=last.median("bytes"), threads=last.worst("threads"))
    return "MISSES " + ", ".join(missed) if missed else "met"


def measure_curves(options):
    wanted = [(curve, curve.row or curve.name) for curve in CURVES if matches(curve.name, options.rows)]
    jobs = {(row, count): (row, OURS, "free", str(options.milliseconds), str(count))
            for curve, row in wanted for count in curve.counts if count <= options.max_count}
    by_row = run_all(options, list(jobs.items()))
    results = {(curve.name, count): m.timed_by(curve.key)
               for curve, row in wanted for (name, count), m in sorted(by_row.items()) if name == row}
    lines = []
    charts = []
    for curve, _ in wanted:
        said = {count: m for (name, count), m in results.items() if name == curve.name}
        points = [(count, m.median(), *m.middle()) for count, m in said.items() if m.values["ns"]]
        if points:
            plot.curve(options.out / f"{curve.name}.svg", curve.title, curve.x, points)
            charts.append(f"![{curve.name}]({curve.name}.svg)")
        for count, m in said.items():
            verdict = curve_verdict(curve, said) if count == curve.counts[-1] else "" if m.values["ns"] else "FAILED"
            lines.append((curve.title, f"{count:,}", number(m.median()), f"{m.spread():.0f}" if m.values["ns"] else "–",
                          number(m.median("switches")), number(m.worst("longest_ms")), number(m.median("bytes")),
                          number(m.worst("threads"), 0), verdict))
    head = ("curve", "count", "ns", "± %", "switches", "longest ms", "bytes", "threads", "target")
    tell(options, "curves", head, lines, "\n" + "\n".join(charts))
    write_csv(options.out / "curves.csv", results, ("curve", "count"))


def print_columns(head, lines, left=1):
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    for line in [head, *lines]:
        print("  ".join(cell.ljust(w) if i < left else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths))))


def tell(options, name, head, lines, after=""):
    """A small table and what stands below it: on the screen, and in its file or its place in the documentation."""
    print_columns(head, lines)
    if options.publish:
        publish.replace(DOCS / "README.md", name, markdown(head, lines) + after)
    else:
        (options.out / f"{name}.md").write_text(markdown(head, lines) + after)


def measure_adversary(options):
    """One process each: two threads that re-lock at once, 20 µs inside. Throughput alone would hide who starves."""
    row = next(row for row in ROWS if row.name == "adversary")
    jobs = [(key, (*words[:-1], str(options.adversary_milliseconds))) for key, words in row_jobs(options) if key[0] == row.name]
    results = run_all(options, jobs, runs=1)
    lines = []
    for key, m in sorted(results.items(), key=lambda item: (item[0][1], item[1].worst("longest_ms") or math.inf)):
        _, placement, rival = key
        target = str(Verdict(row, placement, results)) if rival == OURS else "" if m.values["ns"] else "FAILED"
        lines.append((rival, placement, number(m.median()), number(m.median("fairness")), number(m.worst("longest_ms")), target))
    tell(options, "adversary", ("lock", "where", "ns a turn", "least/most", "longest ms", "target"), lines)


def measure_instructions(options):
    pairs = sorted({(name, rival) for (name, _, rival), _ in row_jobs(options) if name in instructions.STEPS})
    counts = instructions.count_all(options.program, pairs, os.cpu_count() or 1)
    options.failures += [f"{' '.join(pair)}: callgrind counted nothing" for pair in pairs if pair not in counts]
    rivals = [OURS, LIMIT, *sorted({rival for _, rival in counts} - {OURS, LIMIT})]
    lines = [(row.title, *(number(counts.get((row.name, rival)), 0) for rival in rivals))
             for row in ROWS if (row.name, OURS) in counts]
    tell(options, "instructions", ("instructions", *rivals), lines)


def measure_variants(options):
    lines = list(variants.measure(options))
    if not lines:
        return
    verdicts = [line.verdict for line in lines]
    head, lines = variants.table(lines, number)
    print_columns(head, lines, left=3)
    if any(verdict.is_judged for verdict in verdicts):
        print("\n" + summary(verdicts))
    if options.publish:
        page = DOCS / "variants.md"
        publish.replace(page, "variants", markdown(head, variants.with_published(page, lines)))
        publish.replace(page, "descriptions", variants.descriptions())
    else:
        (options.out / "variants.md").write_text(markdown(head, lines))


def main():
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    if hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) < 2:
        print("only one processor: 'free' says nothing here", file=sys.stderr)
    parts = ((options.variants, measure_variants), (options.adversary, measure_adversary), (options.scale, measure_curves),
             (options.instructions, measure_instructions))
    wanted = [measure for is_wanted, measure in parts if is_wanted] or [measure_rows]
    if options.publish and not options.variants:
        wanted = [measure_rows, measure_adversary, measure_curves, measure_instructions]
    for measure in wanted:
        begun = time.monotonic()
        measure(options)
        print(f"{measure.__name__.removeprefix('measure_')}: {time.monotonic() - begun:.0f} s\n")
    print(f"written to {options.out}")
    if options.failures:
        sys.exit("\n".join([f"{len(options.failures)} processes failed:", *sorted(options.failures)]))


if __name__ == "__main__":
    main()
