# SPDX-License-Identifier: MIT
"""The library beside variants of itself that were tried and not taken: variants/NAME.patch, each with a head of
"Rows: ROW PLACEMENT, …", "Idea: …" and "Why not: …". Some are what a target compares the library with: then "Judge: BOUND
ROW PLACEMENT, …" says in which rows the library may take at most so many times what the variant takes.

Each is built from a copy of the sources below the build directory, as is the library unchanged. Both run as processes
that alternate in random order, and the ratio is the median of those within a round: the machine's moods are in both.
"""

import fnmatch
import os
import random
import shutil
import statistics
import subprocess
import sys
from collections import defaultdict, namedtuple
from pathlib import Path

from rows import OURS, ROWS
from verdicts import Judged, part_of_ratios

ROOT = Path(__file__).resolve().parent.parent
PATCHES = Path(__file__).resolve().parent / "variants"
SOURCES = ("CMakeLists.txt", "CMakePresets.json", "bench", "cmake", "include", "src")
UNCHANGED = "unchanged"

# rows: (row, placement) of each that the variant is about. judged: those with a target, and bound: what it is.
Variant = namedtuple("Variant", "name rows idea why_not patch judged bound", defaults=((), None))
Line = namedtuple("Line", "variant row placement base changed ratio spread fairness longest verdict")


def rows_in(text):
    """text: "ROW PLACEMENT, …", where a row may be a pattern."""
    pairs = [tuple(pair.split()) for pair in text.split(", ")] if text else []
    return [(row, placement) for pattern, placement in pairs
            for row in fnmatch.filter([row.name for row in ROWS], pattern) or [pattern]]


def read(path):
    head = {}
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.startswith("--- "):
                break
            key, _, text = line.strip().partition(": ")
            head[key] = text
    bound, _, judged = head.get("Judge", "").partition(" ")
    rows = rows_in(head["Rows"])
    judged = rows_in(judged)
    return Variant(path.stem, rows + [row for row in judged if row not in rows], head["Idea"], head["Why not"], path,
                   judged, float(bound) if bound else None)


def read_all():
    return [read(path) for path in sorted(PATCHES.glob("*.patch"))]


def chosen(names):
    """names: comma-separated, or "all"."""
    variants = {variant.name: variant for variant in read_all()}
    if names == "all":
        return list(variants.values())
    unknown = [name for name in names.split(",") if name not in variants]
    if unknown:
        raise SystemExit(f"no such variant: {', '.join(unknown)}; there are {', '.join(variants)}")
    return [variants[name] for name in names.split(",")]


def apply(patch, folder):
    """Returns: the files that it changes. Git takes no part of the folder's own repository, if there is one."""
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.resolve().parent)}
    git = ["git", "-C", str(folder), "apply"]
    subprocess.run([*git, str(patch)], env=environment, check=True)
    listing = subprocess.run([*git, "--numstat", str(patch)], env=environment, check=True, capture_output=True, text=True)
    return [line.split("\t")[2] for line in listing.stdout.splitlines()]


def copy_sources(folder, names=SOURCES):
    folder.mkdir(parents=True)
    for name in names:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)


def make_alike(folder, fresh):
    """Makes the sources of `folder` those of `fresh`. Only what differs is written: it alone is to be built again."""
    for name in SOURCES:
        of_fresh = {path.relative_to(fresh) for path in [fresh / name, *(fresh / name).rglob("*")] if path.is_file()}
        for path in [path for path in (folder / name).rglob("*") if path.is_file()]:
            if path.relative_to(folder) not in of_fresh:
                path.unlink()
        for path in of_fresh:
            if not (folder / path).exists() or (folder / path).read_bytes() != (fresh / path).read_bytes():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes((fresh / path).read_bytes())


def build(where, patch=None):
    """Returns: its program."""
    fresh = where.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    copy_sources(fresh)
    if patch:
        apply(patch, fresh)
    make_alike(where, fresh)
    shutil.rmtree(fresh)
    words = ["cmake", "--preset", "bench", "-DTHREADINGPP_BENCH_PEERS=OFF", "-DTHREADINGPP_BUILD_EXAMPLES=OFF",
             "-DTHREADINGPP_BUILD_TOOLS=OFF", "-DTHREADINGPP_INSTALL=OFF"]
    if shutil.which("ccache"):
        words.append("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
    # Sources that are alike are compiled once, wherever they lie.
    environment = {**os.environ, "CCACHE_BASEDIR": str(where)}
    for command in (words, ["cmake", "--build", "build/bench", "--parallel", str(os.cpu_count() or 1), "--target", "rivals"]):
        process = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)
        if process.returncode != 0:
            raise SystemExit(f"{where.name} does not build:\n{process.stdout}{process.stderr}")
    return where / "build" / "bench" / "bench" / "rivals"


def run(program, row, placement, milliseconds):
    process = subprocess.run([program, row, OURS, placement, str(milliseconds)], capture_output=True, text=True,
                             timeout=120, check=True)
    return {key: float(value) for key, _, value in (pair.partition("=") for pair in process.stdout.split())}


def compare(variant, row, placement, programs, options, chance):
    """programs: the unchanged and the changed one. What chance may have decided is measured again, as the rows are."""
    said = defaultdict(lambda: ([], []))
    verdict = Judged([])
    for rounds in (options.runs, 2 * options.runs):
        for _ in range(rounds):
            for which in chance.sample((0, 1), 2):
                for key, value in run(programs[which], row, placement, options.milliseconds).items():
                    said[key][which].append(value)
        if (row, placement) in variant.judged:
            ratios = [base / max(changed, 1e-3) for base, changed in zip(*said["ns"])]
            verdict = Judged([part_of_ratios(variant.name, variant.bound, ratios)], variant.name)
        if options.quick or not verdict.is_close:
            break
    ratios = sorted(changed / max(base, 1e-3) for base, changed in zip(*said["ns"]))
    spread = ratios[len(ratios) - 1 - len(ratios) // 4] - ratios[len(ratios) // 4]

    def both(key, middle):
        return tuple(middle(values) for values in said[key]) if key in said and all(said[key]) else None

    return Line(variant.name, row, placement, *(statistics.median(values) for values in said["ns"]),
                statistics.median(ratios), spread, both("fairness", statistics.median), both("longest_ms", max), verdict)


def measure(options):
    """Yields: a Line for each row of each variant that is asked for, but of those of which a process fails or hangs:
    they go to options.failures."""
    folder = options.build.resolve() / "bench" / "variants"
    variants = chosen(options.variants)
    print(f"building {UNCHANGED} and {', '.join(variant.name for variant in variants)}", file=sys.stderr)
    base = build(folder / UNCHANGED)
    programs = {variant.name: build(folder / variant.name, variant.patch) for variant in variants}
    if options.build_only:
        return
    chance = random.Random(options.seed)
    for variant in variants:
        for row, placement in variant.rows:
            try:
                yield compare(variant, row, placement, (base, programs[variant.name]), options, chance)
            except subprocess.SubprocessError as error:
                options.failures.append(f"{variant.name} {row} {placement}: {error}")


def table(lines, number):
    """number: how a time is written. Returns: the head and the lines, as words."""
    titles = {row.name: row.title for row in ROWS}
    head = ("variant", "row", "where", "ns", "ns, variant", "ratio", "± %", "least/most", "longest ms", "target")

    def both(pair):
        return f"{number(pair[0])} · {number(pair[1])}" if pair else "–"

    return head, [(line.variant, titles[line.row], line.placement, number(line.base), number(line.changed),
                   f"{line.ratio:.3f}", f"{100 * line.spread:.0f}", both(line.fairness), both(line.longest), str(line.verdict))
                  for line in lines]


def with_published(page, lines):
    """The lines, and those that the page has of variants which were not measured now."""
    cells = [tuple(cell.strip() for cell in line.split("|")[1:-1])
             for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    measured = {line[0] for line in lines}
    still_there = {variant.name for variant in read_all()} - measured
    width = max(len(line) for line in lines)  # a page from before may have fewer columns
    kept = (line + ("",) * (width - len(line)) for line in cells if line[0] in still_there)
    return sorted([*lines, *kept], key=lambda line: line[0])


def descriptions():
    return "\n".join(f"* **{v.name}**: {v.idea} *Why not:* {v.why_not}" for v in read_all()) + "\n"
