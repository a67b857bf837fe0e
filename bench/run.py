#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures the rivals: a process for each row, rival, placement and repetition, in random order.

Prints a table with our ratio to the best peer and to the physical limit, marks what misses its target, and writes CSV,
SVG and PNG. Times are medians over the processes; the spread is the middle half of them, in per cent of the median. A
target is met or missed "within the error" if the ratio is no farther from it than two standard errors; such rows are
measured again, with twice as many processes more.
"""

import argparse
import csv
import fnmatch
import math
import os
import random
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import instructions
import plot
import publish
import variants
from rows import CURVES, LIMIT, OURS, ROWS, Target

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs" / "performance"
ADVERSARY_MILLISECONDS = 15_000  # two thirds count who is served, one third the longest wait


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=HERE.parent / "build" / "bench", type=Path, help="the build directory")
    parser.add_argument("--quick", action="store_true", help="3 processes a row, short ones: under three minutes")
    parser.add_argument("--runs", type=int, help="processes for each row, rival and placement (9)")
    parser.add_argument("--milliseconds", type=int, help="how long each of them measures (60)")
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
                        help="all but the variants, into docs/performance and README.md: some twenty minutes, on a quiet machine")
    parser.add_argument("--max-count", type=int, default=1_000_000, help="where the cost curves end")
    parser.add_argument("--seed", type=int, default=None, help="of the random order")
    parser.add_argument("--out", type=Path, help="where CSV, SVG and PNG go (the build directory)")
    options = parser.parse_args()
    if options.publish and (options.rows, options.rivals) != ("*", "*"):
        parser.error("what is published is all of it")
    options.runs = options.runs or (3 if options.quick else 9)
    options.milliseconds = options.milliseconds or (12 if options.quick else 60)
    options.program = options.build / "bench" / "rivals"
    options.out = options.out or (DOCS if options.publish else options.build / "bench" / "results")
    if not options.program.exists():
        sys.exit(f"{options.program} is not there: build with THREADINGPP_BUILD_BENCH=ON")
    return options


def matches(name, patterns):
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns.split(","))


class Measured:
    """What the processes of one (row, rival, placement) said."""

    def __init__(self):
        self.values = defaultdict(list)
        self.failures = 0

    def add(self, output):
        for pair in output.split():
            key, _, value = pair.partition("=")
            self.values[key].append(float(value))

    def median(self, key="ns"):
        return statistics.median(self.values[key]) if self.values[key] else None

    def worst(self, key):
        return max(self.values[key]) if self.values[key] else None

    def middle(self, key="ns"):
        values = sorted(self.values[key])
        return values[len(values) // 4], values[len(values) - 1 - len(values) // 4]

    def timed_by(self, key):
        """The same with another of its times in the place of "ns"."""
        other = Measured()
        other.values.update(self.values)
        other.values["ns"] = self.values[key]
        return other

    def spread(self):
        low, high = self.middle()
        return 100 * (high - low) / max(self.median(), 1e-9)

    def error(self):
        """The standard error of the median as a part of it, from the middle half."""
        return 0.0093 * self.spread() / len(self.values["ns"]) ** 0.5


def run_all(options, jobs, runs=None, before=None):
    """jobs: (key, command arguments), `runs` times each. Returns: key → Measured, added to what was there `before`."""
    results = defaultdict(Measured, before or {})
    queue = [job for job in jobs for _ in range(runs or options.runs)]
    random.Random(options.seed).shuffle(queue)
    begun = time.monotonic()
    for done, (key, words) in enumerate(queue):
        try:
            process = subprocess.run([options.program, *words], capture_output=True, text=True, timeout=120, check=False)
            if process.returncode == 0:
                results[key].add(process.stdout)
            else:
                results[key].failures += 1
        except subprocess.TimeoutExpired:
            results[key].failures += 1
        if sys.stderr.isatty() or done + 1 == len(queue):
            print(f"\r{done + 1} of {len(queue)} processes, {time.monotonic() - begun:.0f} s", end="", file=sys.stderr)
    print(file=sys.stderr)
    for key, measured in results.items():
        if measured.failures:
            print(f"{' '.join(map(str, key))}: {measured.failures} processes failed", file=sys.stderr)
    return {key: measured for key, measured in results.items() if measured.values["ns"]}


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


def is_peer(rival):
    return rival not in (OURS, LIMIT) and not rival.startswith("design:")


class Verdict:
    """Our time in one row and placement against the best peer and the limit."""

    def __init__(self, row, placement, results):
        mine = {rival: m for (name, where, rival), m in results.items() if (name, where) == (row.name, placement)}
        self.ours = mine.get(OURS)
        self.rivals = mine
        self.limit = mine.get(LIMIT)
        self.target = row.targets.get(placement, Target())
        peers = {rival: m for rival, m in mine.items() if is_peer(rival)}
        if not row.name.startswith("contended"):
            peers.pop("tbb-spin", None)  # it cannot sleep, so it need not ask whether to wake: no peer without competition
        if self.target.fair and self.ours:
            least = 0.5 * self.ours.median("fairness")
            peers = {rival: m for rival, m in peers.items() if m.median("fairness") >= least}
        self.best = min(peers, key=lambda rival: peers[rival].median()) if peers else None
        self.to_peer = self.ratio(peers.get(self.best))
        self.to_limit = self.ratio(self.limit)
        self.missed = []  # (what, the bound, whether by less than the error), of the target's parts
        self.is_close = False  # whether chance may have decided whether a part is met
        for what, ratio, rival in (("peer", self.to_peer, peers.get(self.best)), ("limit", self.to_limit, self.limit)):
            bound = getattr(self.target, what)
            if ratio is None or bound is None:
                continue
            is_close = abs(ratio / bound - 1) <= 2 * math.hypot(self.ours.error(), rival.error())
            self.is_close = self.is_close or is_close
            if ratio > bound:
                self.missed.append((what, bound, is_close))
        if self.ours and self.target.longest and self.ours.worst("longest_ms") > self.target.longest:
            self.missed.append(("longest ms", self.target.longest, False))

    def ratio(self, other):
        return self.ours.median() / max(other.median(), 1e-3) if self.ours and other else None

    def may_be_best(self, rival):
        """Whether the row would be judged otherwise if this rival were a little faster or slower."""
        best = self.rivals.get(self.best)
        return not is_peer(rival) or best is None or self.rivals[rival].median() <= 1.05 * best.median()

    def __str__(self):
        if (self.target.peer, self.target.limit, self.target.longest) == (None, None, None):
            return ""
        if not self.missed:
            return "met (within the error)" if self.is_close else "met"
        return "MISSES " + ", ".join(f"{what} ≤ {bound}" + (" (within the error)" if is_close else "")
                                     for what, bound, is_close in self.missed)


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
        for key in sorted(results, key=str):
            m = results[key]
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
    targets = [line[-1] for line in lines if line[-1]]
    missed = [target for target in targets if target.startswith("MISSES")]
    close = sum(target.endswith("(within the error)") for target in missed)
    print(f"\n{len(targets) - len(missed)} of {len(targets)} targets met; of the {len(missed)} others, "
          f"{close} are missed by less than the error of measurement")
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
    if last is None or not any(curve.bounds):
        return ""
    growth = last.median() / max(points[100].median(), 1e-3) if 100 in points else None
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
        points = [(count, m.median(), *m.middle()) for (name, count), m in results.items() if name == curve.name]
        if not points:
            continue
        plot.curve(options.out / f"{curve.name}.svg", curve.title, curve.x, points)
        charts.append(f"![{curve.name}]({curve.name}.svg)")
        verdict = curve_verdict(curve, {count: m for (name, count), m in results.items() if name == curve.name})
        for count, ns, *_ in points:
            m = results[(curve.name, count)]
            lines.append((curve.title, f"{count:,}", number(ns), f"{m.spread():.0f}", number(m.median("switches")),
                          number(m.worst("longest_ms")), number(m.median("bytes")), number(m.worst("threads"), 0),
                          verdict if count == curve.counts[-1] else ""))
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
    jobs = [((rival,), (name, rival, placement, str(ADVERSARY_MILLISECONDS)))
            for (name, placement, rival), _ in row_jobs(options) if name == "adversary"]
    results = run_all(options, jobs, runs=1)
    bound = next(row.targets["free"].longest for row in ROWS if row.name == "adversary")
    lines = []
    for (rival,), m in sorted(results.items(), key=lambda item: item[1].worst("longest_ms")):
        longest = m.worst("longest_ms")
        target = "" if rival != OURS else "met" if longest <= bound else f"MISSES longest ms ≤ {bound}"
        lines.append((rival, number(m.median()), number(m.median("fairness")), number(longest), target))
    tell(options, "adversary", ("lock", "ns a turn", "least/most", "longest ms", "target"), lines)


def measure_instructions(options):
    pairs = sorted({(name, rival) for (name, _, rival), _ in row_jobs(options) if name in instructions.STEPS})
    counts = instructions.count_all(options.program, pairs, os.cpu_count() or 1)
    rivals = [OURS, LIMIT, *sorted({rival for _, rival in counts} - {OURS, LIMIT})]
    lines = [(row.title, *(number(counts.get((row.name, rival)), 0) for rival in rivals))
             for row in ROWS if (row.name, OURS) in counts]
    tell(options, "instructions", ("instructions", *rivals), lines)


def measure_variants(options):
    lines = list(variants.measure(options))
    if not lines:
        return
    head, lines = variants.table(lines, number)
    print_columns(head, lines, left=3)
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


if __name__ == "__main__":
    main()
