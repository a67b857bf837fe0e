#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare.py: what a call costs here and in the stdlib, both in one process, in turns.

Each row is a ratio, ours / stdlib: of the minima for what stays in one thread, of the medians for what sleeps. Prints
JSON; run.py turns the output of several interpreters into a table and a plot.
"""

import json
import os
import queue
import statistics
import sys
import threading
import time

import threadingpp.queue as native
from threadingpp import _core
from threadingpp import threading as ours

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


def start_join(module, count=60):
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


def timer(module, count=60):
    def run():
        begin = clock()
        for _ in range(count):
            each = module.Timer(60, nothing)
            each.start()
            each.cancel()
            each.join()
        return (clock() - begin) / count
    return run


# --- round trips: two threads that wake each other in turns ---


def lock_pair(module):
    a, b = module.Lock(), module.Lock()
    a.acquire(), b.acquire()
    return a.acquire, b.release, b.acquire, a.release


def event_pair(module):
    a, b = module.Event(), module.Event()

    def wait(event):
        def waits():
            event.wait()
            event.clear()
        return waits
    return wait(a), b.set, wait(b), a.set


def semaphore_pair(module):
    a, b = module.Semaphore(0), module.Semaphore(0)
    return a.acquire, b.release, b.acquire, a.release


def queue_pair(make):
    a, b = make(), make()
    return a.get, lambda: b.put(None), b.get, lambda: a.put(None)


def round_trip(pair, count=400):
    def run():
        wait_a, wake_b, wait_b, wake_a = pair()

        def partner():
            for _ in range(count):
                wait_a()
                wake_b()
        thread = threading.Thread(target=partner)
        thread.start()
        begin = clock()
        for _ in range(count):
            wake_a()
            wait_b()
        taken = clock() - begin
        thread.join()
        return taken / count
    return run


def condition_trip(module, count=400):
    def run():
        condition = module.Condition(module.Lock())
        turn = [0]

        def player(me):
            with condition:
                for _ in range(count):
                    while turn[0] != me:
                        condition.wait()
                    turn[0] = 1 - me
                    condition.notify()
        thread = threading.Thread(target=player, args=(1,))
        thread.start()
        begin = clock()
        player(0)
        taken = clock() - begin
        thread.join()
        return taken / count
    return run


TRIPS = {
    "Lock": (lock_pair, 1.0),
    "Event": (event_pair, 0.70),
    "Semaphore": (semaphore_pair, None),
}


def measure(pair, rounds, best):
    mine, theirs = [], []
    for _ in range(rounds):
        mine.append(pair[0]())
        theirs.append(pair[1]())
    return {"ours": best(mine), "stdlib": best(theirs)}


def pinned(cpus):
    os.sched_setaffinity(0, cpus)


def rows(rounds, only):
    everything = os.sched_getaffinity(0)
    wanted = lambda name: not only or any(part in name for part in only)
    for name, (statement, make, bar) in SIMPLE.items():
        if wanted(name):
            yield name, bar, measure(one_thread(statement, make), rounds, min)
    if wanted("stdlib Queue on our primitives, put+get"):
        yield ("stdlib Queue on our primitives, put+get", 0.45,
               measure((put_get(patched_queue), put_get(queue.Queue)), rounds, min))
    if wanted("native Queue put+get"):
        yield "native Queue put+get", 0.05, measure((put_get(native.Queue), put_get(queue.Queue)), rounds, min)
    if wanted("Thread start+join"):
        yield "Thread start+join", 0.75, measure((start_join(ours), start_join(threading)), rounds, statistics.median)
    if wanted("Timer start+cancel+join"):
        yield "Timer start+cancel+join", 0.05, measure((timer(ours), timer(threading)), rounds, statistics.median)
    for place, cpus, bars in (("one CPU", {min(everything)}, None), ("two CPUs", everything, 0.20)):
        if place == "two CPUs" and len(everything) < 2:
            continue
        pinned(cpus)
        for name, (pair, bar) in TRIPS.items():
            row = f"round trip, {name}, {place}"
            if wanted(row):
                yield row, bars or bar, measure(
                    (round_trip(lambda: pair(ours)), round_trip(lambda: pair(threading))), rounds, statistics.median)
        row = f"round trip, Condition, {place}"
        if wanted(row):
            yield row, bars or 0.60, measure((condition_trip(ours), condition_trip(threading)), rounds,
                                             statistics.median)
        row = f"round trip, native Queue, {place}"
        if wanted(row):
            yield row, bars, measure((round_trip(lambda: queue_pair(native.Queue)),
                                      round_trip(lambda: queue_pair(queue.Queue))), rounds, statistics.median)
        pinned(everything)


def patched_queue():
    """The stdlib's Queue as it is after install(): its own code over our primitives."""
    made = queue.Queue()
    made.mutex = ours.Lock()
    for name in ("not_empty", "not_full", "all_tasks_done"):
        setattr(made, name, ours.Condition(made.mutex))
    return made


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    result = {"version": sys.version.split()[0], "rows": []}
    for name, bar, figures in rows(rounds, sys.argv[2:]):
        figures.update(name=name, bar=bar, ratio=figures["ours"] / figures["stdlib"])
        result["rows"].append(figures)
        print(f"{figures['ratio']:6.3f}  {name}  ({figures['ours']:.0f} / {figures['stdlib']:.0f} ns)"
              + ("" if bar is None else f"  bar {bar}{'' if figures['ratio'] <= bar else '  MISSED'}"), file=sys.stderr)
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
