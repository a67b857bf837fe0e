#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare.py: what a call costs here and in the stdlib, both in one process, in turns.

compare.py [ROUNDS [PART-OF-A-ROW'S-NAME…]]. Each row is a ratio of medians, ours / stdlib. Prints JSON; run.py turns the
output of several interpreters into a table and a plot.
"""

import json
import queue
import statistics
import sys
import threading
import time

import threadingpp.queue as native
import trips
from threadingpp import threading as ours

try:
    import two_languages
except ImportError:  # built without its C++ side
    two_languages = None

clock = time.perf_counter_ns
ROUNDS = 15


def loop(statement, setup="", count=20000, **names):
    """A function that runs the statement `count` times and returns nanoseconds for each."""
    text = (
        f"def run(count, clock, {', '.join(names)}):\n {setup or 'pass'}\n begin = clock()\n for _ in range(count // 8):\n"
        + "".join(f"  {statement}\n" for _ in range(8)) + " return (clock() - begin) / count\n")
    space = {}
    exec(text, space)
    return lambda: space["run"](count, clock, **names)


def one_thread(statement, make, setup="", count=20000):
    """make(module) -> the object that the statement calls x."""
    return loop(statement, setup, count, x=make(ours)), loop(statement, setup, count, x=make(threading))


def held(make):
    def made(module):
        lock = make(module)
        lock.acquire()
        return lock
    return made


def set_event(module):
    event = module.Event()
    event.set()
    return event


SIMPLE = {
    # row: (statement, maker, bar)
    "Lock acquire+release": ("x.acquire(); x.release()", lambda m: m.Lock(), 0.40),
    "with Lock": ("with x: pass", lambda m: m.Lock(), 0.35),
    "RLock acquire+release": ("x.acquire(); x.release()", lambda m: m.RLock(), 0.42),
    "RLock nested": ("x.acquire(); x.release()", held(lambda m: m.RLock()), None),
    "Event.is_set": ("x.is_set()", lambda m: m.Event(), 0.60),
    "Event.wait, set": ("x.wait()", set_event, 0.08),
    "Event set+clear": ("x.set(); x.clear()", lambda m: m.Event(), 0.06),
    "Semaphore acquire+release": ("x.acquire(); x.release()", lambda m: m.Semaphore(1), 0.06),
    "with Condition": ("with x: pass", lambda m: m.Condition(), 0.35),
    "Condition.notify, nobody waits": ("x.notify()", held(lambda m: m.Condition()), 0.50),
    "Barrier(1).wait": ("x.wait()", lambda m: m.Barrier(1), 0.10),
    "current_thread": ("x()", lambda m: m.current_thread, 0.60),
    "make Lock": ("x()", lambda m: m.Lock, None),
    "make RLock": ("x()", lambda m: m.RLock, None),
    "make Condition": ("x()", lambda m: m.Condition, None),
    "make Event": ("x()", lambda m: m.Event, None),
    "make Semaphore": ("x()", lambda m: m.Semaphore, None),
}


def put_get(make, count=20000):
    return loop("x.put(1); x.get()", "", count, x=make())


def start_join(module, count=300):
    def run():
        begin = clock()
        for _ in range(count):
            thread = module.Thread(target=nothing)
            thread.start()
            thread.join()
        return (clock() - begin) / count
    return run


def nothing():
    pass


def timer(module, count=300):
    def run():
        begin = clock()
        for _ in range(count):
            each = module.Timer(60, nothing)
            each.start()
            each.cancel()
            each.join()
        return (clock() - begin) / count
    return run


def measure(pair, rounds):
    """The medians of both, measured in turns; of trips also how often each switches threads."""
    found = ([], [])
    for _ in range(rounds):
        for run, results in zip(pair, found):
            results.append(run())
    figures = {}
    for side, results in zip(("ours", "stdlib"), found):
        if isinstance(results[0], tuple):
            figures[side] = statistics.median(ns for ns, _ in results)
            figures[f"{side}_switches"] = statistics.median(switches for _, switches in results)
        else:
            figures[side] = statistics.median(results)
    return figures


def rows():
    """(name, bar of the ratio, bar in nanoseconds, ours, the stdlib's)"""
    for name, (statement, make, bar) in SIMPLE.items():
        yield name, bar, None, *one_thread(statement, make)
    yield "stdlib Queue after install(), put+get", 0.45, None, put_get(patched_queue), put_get(queue.Queue)
    yield "native Queue put+get", 0.05, None, put_get(native.Queue), put_get(queue.Queue)
    yield "Thread start+join", 0.75, None, start_join(ours), start_join(threading)
    yield "Timer start+cancel+join", 0.05, None, timer(ours), timer(threading)
    for name, bar, mine, theirs in trips.rows(ours, threading, native, queue):
        yield name, bar, None, mine, theirs
    if two_languages is not None:
        yield from two_languages.rows()


def patched_queue():
    """The stdlib's Queue as it is after install(): its own code over our primitives."""
    made = queue.Queue()
    made.mutex = ours.Lock()
    for name in ("not_empty", "not_full", "all_tasks_done"):
        setattr(made, name, ours.Condition(made.mutex))
    return made


def misses(row):
    """Whether a row is over its bar."""
    return (row["bar"] is not None and row["ratio"] > row["bar"]) or (
        row["bar_ns"] is not None and row["ours"] > row["bar_ns"])


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    result = {"version": sys.version.split()[0], "rows": []}
    for name, bar, bar_ns, *pair in rows():
        if len(sys.argv) > 2 and not any(part in name for part in sys.argv[2:]):
            continue
        row = {"name": name, "bar": bar, "bar_ns": bar_ns, **measure(pair, rounds)}
        row["ratio"] = row["ours"] / row["stdlib"]
        row["missed"] = misses(row)
        result["rows"].append(row)
        print(f"{row['ratio']:8.4f}  {name}  ({row['ours']:.0f} / {row['stdlib']:.0f} ns)"
              + ("  MISSED" if row["missed"] else ""), file=sys.stderr, flush=True)
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
