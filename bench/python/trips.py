# SPDX-License-Identifier: MIT
"""Round trips: two threads that wake each other in turns, and how often each trip switches threads."""

import os
import resource
import threading
import time

clock = time.perf_counter_ns


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


def queue_pair(module):
    a, b = module.Queue(), module.Queue()
    return a.get, lambda: b.put(None), b.get, lambda: a.put(None)


def switches():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_nvcsw + usage.ru_nivcsw


def two_players(partner, player, count):
    """Runs both, each in a thread. Returns (nanoseconds, switches of threads) for each of `count` trips."""
    thread = threading.Thread(target=partner)
    thread.start()
    before = switches()
    begin = clock()
    player()
    taken = clock() - begin
    switched = switches() - before
    thread.join()
    return taken / count, switched / count


def round_trip(make_pair, module, count):
    def run():
        wait_a, wake_b, wait_b, wake_a = make_pair(module)

        def partner():
            for _ in range(count):
                wait_a()
                wake_b()

        def player():
            for _ in range(count):
                wake_a()
                wait_b()
        return two_players(partner, player, count)
    return run


def condition_trip(module, count):
    def run():
        condition = module.Condition(module.Lock())
        turn = [0]

        def play(me):
            with condition:
                for _ in range(count):
                    while turn[0] != me:
                        condition.wait()
                    turn[0] = 1 - me
                    condition.notify()
        return two_players(lambda: play(1), lambda: play(0), count)
    return run


def pinned(cpus, run):
    """`run` as it goes on these processors only; the threads that it starts inherit them."""
    def runs():
        everything = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cpus)
        try:
            return run()
        finally:
            os.sched_setaffinity(0, everything)
    return runs


def places():
    """(name, processors, how many trips to measure)"""
    everything = os.sched_getaffinity(0)
    yield "one CPU", {min(everything)}, 500
    if len(everything) > 1:
        # Long enough for the kernel to move the threads apart.
        yield "two CPUs", everything, 2000


def rows(ours, theirs, our_queue, their_queue):
    """(name, bar, our runner, the stdlib's)"""
    pairs = {"Lock": (lock_pair, 1.0), "Event": (event_pair, 0.70), "Semaphore": (semaphore_pair, None)}
    for place, cpus, count in places():
        bar_here = 0.20 if len(cpus) > 1 else None
        for name, (pair, bar) in pairs.items():
            yield (f"round trip, {name}, {place}", bar_here or bar,
                   pinned(cpus, round_trip(pair, ours, count)), pinned(cpus, round_trip(pair, theirs, count)))
        yield (f"round trip, Condition, {place}", bar_here or 0.60,
               pinned(cpus, condition_trip(ours, count)), pinned(cpus, condition_trip(theirs, count)))
        yield (f"round trip, native Queue, {place}", bar_here,
               pinned(cpus, round_trip(queue_pair, our_queue, count)),
               pinned(cpus, round_trip(queue_pair, their_queue, count)))
