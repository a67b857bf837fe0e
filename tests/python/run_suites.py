#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run_suites.py --package FOLDER [options]: CPython's own test suites, unmodified, on top of threading++.

For each interpreter a fresh virtual environment per mode:

  stock        the interpreter as it is: what passes here must pass below
  module       `threading` is replaced in place as soon as anything imports it, in child processes too
  primitives   `_thread` offers our locks below the stdlib's own threading.py (Lock, RLock only)

A test that fails is run again by itself, once nothing else runs: what passes then failed under the load of the other
environments and is only told. So is a whole suite that did not end, or was killed by a signal, up to twice: interpreters have
deadlocks of their own (docs/python.md). Prints one table (version, suite, mode: tests, failures, skipped), lists every test that
passes in stock but not in ours and is not in COMPAT.md, and writes JUnit files. Exit status 1 if there is such a test.

--report FILE writes the table of everything that is in the folder of logs, from this run and earlier ones.

FOLDER holds <version>/threadingpp for each interpreter, as the build leaves it in build/*/python.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

from suite_output import count_run, failures, parse
from suite_report import report

HERE = pathlib.Path(__file__).resolve().parent
COMPAT = HERE.parent.parent / "python" / "COMPAT.md"

SUITES = (
    "test_threading test_threading_local test_thread test_threadsignals test_queue test_concurrent_futures test_logging "
    "test_sched test_socketserver test_fork1 test_asyncio"
).split()
SHORT = "test_threading test_threading_local test_thread test_threadsignals test_queue test_sched test_fork1".split()
PRIMITIVES = "test_threading test_threading_local test_thread test_threadsignals test_queue".split()
MODES = ("stock", "module", "primitives")
TIMEOUT = 600  # seconds: four times what the longest suite takes
HUNG = 124  # the exit status of a suite that did not end

PRIMITIVES_MODULE = '''\
import sys, types
import _thread as real
from threadingpp import _core, _versions
fake = types.ModuleType("_thread", real.__doc__)
fake.__dict__.update({k: v for k, v in real.__dict__.items() if k not in ("__spec__", "__loader__")})
for name, core in _versions.thread_names().items():
    if hasattr(real, name):
        setattr(fake, name, getattr(_core, core))
sys.modules["_thread"] = fake
'''


CHECK = {
    "module": "import threading as t; assert 'context_method' in repr(type(t.Condition().__enter__)) or "
              "t.Condition.notify.__class__.__name__ == 'method_descriptor'",
    "primitives": "import threading as t, _thread; assert t._allocate_lock is _thread.allocate_lock; "
                  "import threadingpp._core as c; assert type(t.Lock()) is c.lock and t._CRLock is c.RLock",
}


PROBE = """\
import sys, sysconfig, os, test.test_threading
assert sys.version_info >= (3, 8)
os.stat(sysconfig.get_paths()["include"] + "/Python.h")
print("%d.%d.%d" % sys.version_info[:3])
"""


def version_of(python):
    out = subprocess.run(
        [python, "-c", "import sys; print('%d.%d %d.%d.%d' % (sys.version_info[:2] + sys.version_info[:3]))"],
        stdout=subprocess.PIPE, check=True, text=True)
    return out.stdout.split()


def find_interpreters():
    """Every python3.x of pyenv and of the system that has the `test` package and headers, oldest first."""
    found = {}
    candidates = sorted(pathlib.Path.home().glob(".pyenv/versions/3.*/bin/python"))
    candidates += [pathlib.Path(p) for p in ("/usr/bin/python3", "/usr/local/bin/python3")]
    for python in candidates:
        if not python.exists():
            continue
        probe = subprocess.run([python, "-c", PROBE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if probe.returncode == 0:
            found.setdefault(probe.stdout.strip(), python)
    return [found[key] for key in sorted(found, key=lambda text: tuple(map(int, text.split("."))))]


def one_of_each_minor(pythons):
    """The module that is built for 3.x serves every 3.x.y."""
    return list({version_of(python)[0]: python for python in pythons}.values())


def make_environment(python, mode, package, folder):
    """A virtual environment whose start-up files bring threading++ in. Returns: its interpreter."""
    subprocess.run([python, "-m", "venv", "--without-pip", "--clear", folder], check=True, stdout=subprocess.DEVNULL)
    interpreter = folder / "bin" / "python"
    if mode == "stock":
        return interpreter
    site = next(folder.glob("lib/python*/site-packages"))
    lines = [f"import sys; sys.path.append({str(package)!r})"]
    if mode == "module":
        lines.append("import threadingpp._hook; threadingpp._hook.arm()")
    else:
        (site / "threadingpp_primitives.py").write_text(PRIMITIVES_MODULE)
        lines.append("import threadingpp_primitives")
    (site / "threadingpp_test.pth").write_text("\n".join(lines) + "\n")
    # Also where PYTHON* variables are ignored, as the suites do in most of their child processes.
    subprocess.run([interpreter, "-I", "-c", CHECK[mode]], check=True)
    return interpreter


def has_suite(python, suite):
    return subprocess.run(
        [python, "-c", f"import importlib.util as u, sys; sys.exit(u.find_spec('test.{suite}') is None)"]).returncode == 0


def run_suite(interpreter, suite, logs, under=(), only=()):
    """Runs a suite, or `only` some tests of it, under a command. Returns: ({test: outcome}, exit status, seconds)."""
    command = [*under, interpreter, "-m", "test", "-v", "-u", "network"]
    for test in only:
        command += ["-m", f"*{test.split('#')[0]}"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        process = subprocess.Popen(command + [suite], cwd=scratch, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace", text=True,
                                   start_new_session=True)
        try:
            text, status = process.communicate(timeout=TIMEOUT)[0], process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # with the children that it waits for
            text, status = process.communicate()[0], HUNG
    logs.mkdir(parents=True, exist_ok=True)
    (logs / f"{suite}{'.again' if only else ''}.log").write_text(text)
    results = parse(text)
    if not only and count_run(text) > len(results):
        print(f"{logs}/{suite}.log: {len(results)} tests found, {count_run(text)} ran", file=sys.stderr)
    return results, status, time.monotonic() - begin


def run_again(interpreter, suite, logs, tests, under):
    """Those of `tests` that fail by themselves as well."""
    # What is no test, a setUpClass for example, is in nobody's hands but the suite's.
    single = [test for test in sorted(tests) if re.search(r"\.test", test) and not test.startswith("Doctest")]
    if len(single) < len(tests):
        return failures(run_suite(interpreter, suite, logs, under)[0]) & tests
    results = run_suite(interpreter, suite, logs, under, single)[0]
    return {test for test in tests if results.get(test.split("#")[0], "lost") not in ("ok", "skipped", "expected")}


def read_compat():
    """[(version pattern, test)] of the table in COMPAT.md."""
    rows = []
    if COMPAT.exists():
        for line in COMPAT.read_text().splitlines():
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if len(cells) >= 4 and cells[0].startswith("test_"):
                for test in re.findall(r"`([\w.#]+)`", cells[1]):
                    rows.append((cells[0], test, cells[2]))
    return rows


def is_named(rows, suite, test, version):
    here = tuple(map(int, version.split(".")[:2]))
    for row_suite, row_test, versions in rows:
        if suite != row_suite or not (test == row_test or test.split("#")[0] == row_test):
            continue
        first, _, last = versions.replace("–", "-").partition("-")
        low = tuple(map(int, first.split("."))) if first else (3, 0)
        high = tuple(map(int, last.split("."))) if last else low
        if low <= here <= high:
            return True
    return False


def write_junit(path, suite, results, named):
    root = ElementTree.Element("testsuite", name=suite, tests=str(len(results)))
    for test, outcome in results.items():
        case = ElementTree.SubElement(root, "testcase", classname=suite, name=test)
        if outcome in ("FAIL", "ERROR"):
            ElementTree.SubElement(case, "skipped" if test in named else "failure", message=outcome)
        elif outcome == "skipped":
            ElementTree.SubElement(case, "skipped")
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(root).write(path)


class Judge:
    def __init__(self, options):
        self.options = options
        self.compat = read_compat()
        self.problems = []
        self.notes = []
        self.rows = []
        self.entries = []

    def job(self, python, short, version, mode, suites, root):
        package = (self.options.package / short).resolve()
        interpreter = make_environment(python, mode, package, root / f"{version}-{mode}")
        logs = self.options.logs / version / mode
        return {suite: run_suite(interpreter, suite, logs, self.options.under)
                for suite in suites if has_suite(interpreter, suite)}

    def run(self, pythons, root):
        modes = [mode for mode in MODES if mode in self.options.modes]
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            jobs = []
            for python in pythons:
                short, version = version_of(python)
                for mode in modes:
                    suites = [s for s in self.options.suites
                              if mode != "primitives" or self.options.complete or s in PRIMITIVES]
                    jobs.append((version, mode, pool.submit(self.job, python, short, version, mode, suites, root)))
            outcomes = {}
            for version, mode, future in jobs:
                outcomes.setdefault(version, {})[mode] = future.result()
        for version, by_mode in outcomes.items():
            self.run_broken_suites_again(version, by_mode, root)
            self.run_failures_again(version, by_mode, root)
            self.judge(version, by_mode)

    def run_broken_suites_again(self, version, by_mode, root):
        """Those that did not come to their end: alone, now that nothing else runs. Corrects the outcomes."""
        for mode, suites in by_mode.items():
            interpreter = root / f"{version}-{mode}" / "bin" / "python"
            for suite in suites:
                for _ in range(2):
                    status = suites[suite][1]
                    if status != HUNG and status >= 0:
                        break
                    what = "did not end" if status == HUNG else f"died of signal {-status}"
                    self.notes.append(f"{version} {suite} ({mode}): {what}, and was run again")
                    suites[suite] = run_suite(interpreter, suite, self.options.logs / version / mode, self.options.under)

    def run_failures_again(self, version, by_mode, root):
        """Alone, now that nothing else runs. Corrects the outcomes."""
        for mode, suites in by_mode.items():
            interpreter = root / f"{version}-{mode}" / "bin" / "python"
            for suite, (results, _, _) in suites.items():
                failing = failures(results)
                if not failing:
                    continue
                again = run_again(interpreter, suite, self.options.logs / version / mode, failing, self.options.under)
                for test in sorted(failing - again):
                    results[test] = "ok"
                    self.notes.append(f"{version} {suite} ({mode}): {test} failed once, and passed by itself")
                for test in sorted(again):
                    self.notes.append(f"{version} {suite} ({mode}): {test} fails by itself as well")

    def judge(self, version, by_mode):
        stock = by_mode.get("stock") or self.earlier_stock(version)
        for mode, suites in by_mode.items():
            for suite, (results, status, seconds) in suites.items():
                failing = failures(results)
                skipped = sum(outcome == "skipped" for outcome in results.values())
                before = stock.get(suite, ({}, 0, 0))[0]
                known = {t for t in failing if before.get(t) in ("FAIL", "ERROR")}
                named = {t for t in failing - known if is_named(self.compat, suite, t, version)}
                fresh = failing - known - named
                self.rows.append((version, suite, mode, len(results), len(failing), len(named), skipped, seconds))
                self.record(version, mode, suite, results, failing, skipped)
                write_junit(self.options.logs / version / mode / f"{suite}.xml", suite, results, named | known)
                where = f"{version} {suite} ({mode})"
                self.entries += [(where, test, outcome, test in named | known) for test, outcome in results.items()
                                 if mode != "stock"]
                if mode == "stock":
                    continue
                self.problems += [f"{where}: {test} passes in stock" for test in sorted(fresh)]
                missing = [t for t, o in before.items() if o == "ok" and t not in results]
                self.problems += [f"{where}: {test} did not run" for test in sorted(missing)]
                if before and not failing and len(results) < len(before):
                    self.problems.append(f"{where}: {len(results)} tests ran, {len(before)} in stock")
                if not results or (status not in (0, 2, 3) and not failing and not self.flaky(version, mode, suite)):
                    self.problems.append(f"{where}: ended with status {status}")

    def earlier_stock(self, version):
        """What the folder of logs knows, when this run leaves the stock mode out."""
        files = (self.options.logs / version / "stock").glob("*.json")
        return {file.stem: (json.loads(file.read_text())["results"], 0, 0) for file in files}

    def flaky(self, version, mode, suite):
        return any(note.startswith(f"{version} {suite} ({mode})") for note in self.notes)

    def record(self, version, mode, suite, results, failing, skipped):
        passed = len(results) - len(failing) - skipped
        fact = {"passed": passed, "failing": sorted(failing), "commit": self.options.commit, "results": results}
        (self.options.logs / version / mode / f"{suite}.json").write_text(json.dumps(fact))

    def table(self):
        head = ("version", "suite", "mode", "tests", "failing", "named", "skipped", "seconds")
        body = [head] + [(*map(str, row[:7]), f"{row[7]:.1f}") for row in self.rows]
        widths = [max(len(line[i]) for line in body) for i in range(len(head))]
        return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in body)

    def write_total(self, path):
        root = ElementTree.Element("testsuite", name="python")
        for where, test, outcome, excused in self.entries:
            case = ElementTree.SubElement(root, "testcase", classname=where, name=test)
            if outcome in ("FAIL", "ERROR"):
                ElementTree.SubElement(case, "skipped" if excused else "failure", message=outcome)
            elif outcome == "skipped":
                ElementTree.SubElement(case, "skipped")
        path.parent.mkdir(parents=True, exist_ok=True)
        ElementTree.ElementTree(root).write(path)


def commit_of(folder):
    done = subprocess.run(["git", "-C", folder, "describe", "--always", "--dirty", "--exclude", "*"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout.strip() or "unknown"


def restore_interrupts():
    """Shells start background jobs with SIGINT ignored, which the suites would inherit, and some of them send it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--package", type=pathlib.Path, help="where <version>/threadingpp is")
    parser.add_argument("--list", choices=("all", "some"), help="print the interpreters that are found, and end")
    parser.add_argument("--python", action="append", default=[], help="an interpreter (default: all that are found)")
    parser.add_argument("--suites", default="all", help="all, short, or names separated by commas")
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--jobs", type=int, default=1, help="environments that run at the same time")
    parser.add_argument("--logs", type=pathlib.Path, default=pathlib.Path("python-suites"))
    parser.add_argument("--junit", type=pathlib.Path, help="one JUnit file with every case of ours")
    parser.add_argument("--under", type=shlex.split, default=[], help="a command to run suites under: nice, taskset …")
    parser.add_argument("--report", type=pathlib.Path,
                        help="write the table of all that is in --logs; without --package, do only that")
    options = parser.parse_args()
    if options.report and options.package is None:
        report(options.logs, options.report, SUITES, MODES)
        return 0
    if options.list:
        found = one_of_each_minor(find_interpreters())
        some = sorted({0, len(found) // 2, len(found) - 1} & set(range(len(found))))
        print(";".join(str(found[i]) for i in (some if options.list == "some" else range(len(found)))))
        return 0
    if options.package is None:
        parser.error("--package is needed")
    if options.junit is None and "THREADINGPP_RESULTS" in os.environ:
        options.junit = pathlib.Path(os.environ["THREADINGPP_RESULTS"]) / "python_suites.xml"
    options.complete = options.suites != "short"
    options.commit = commit_of(HERE)
    options.suites = {"all": SUITES, "short": SHORT}.get(options.suites, options.suites.split(","))
    options.modes = options.modes.split(",")
    pythons = options.python or find_interpreters()
    pythons = [p for p in pythons if (options.package / version_of(p)[0] / "threadingpp").is_dir()]
    if not pythons:
        sys.exit("no interpreter with both the test package and a build of threadingpp")
    restore_interrupts()
    root = pathlib.Path(tempfile.mkdtemp(prefix="threadingpp-suites-"))
    judge = Judge(options)
    try:
        judge.run(pythons, root)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    print(judge.table())
    for note in judge.notes:
        print("note:", note)
    for problem in judge.problems:
        print("problem:", problem)
    if options.report:
        report(options.logs, options.report, SUITES, MODES)
    if options.junit:
        judge.write_total(options.junit)
    return 1 if judge.problems else 0


if __name__ == "__main__":
    sys.exit(main())
