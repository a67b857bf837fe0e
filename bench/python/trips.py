# SPDX-License-Identifier: MIT
"""Round trips: two threads that wake each other in turns, and how often each trip switches threads."""

import os
import resource
import threading
import time
import typing

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


def two_players(place, start, player, count):
    """start() starts the partner, player() plays; each where the place says. Returns (nanoseconds, switches of threads)
    for each of `count` trips. start() returns how to end the partner."""
    everything = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, place.partner)  # inherited by the thread that starts now
        end = start()
        os.sched_setaffinity(0, place.player)
        before = switches()
        begin = clock()
        player()
        taken = clock() - begin
        switched = switches() - before
        end()
    finally:
        os.sched_setaffinity(0, everything)
    return taken / count, switched / count


def started(partner):
    def start():
        thread = threading.Thread(target=partner)
        thread.start()
        return thread.join
    return start


def round_trip(make_pair, module, place):
    count = place.count

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
        return two_players(place, started(partner), player, count)
    return run


def condition_trip(module, place):
    def run():
        condition = module.Condition(module.Lock())
        turn = [0]

        def play(me):
            with condition:
                for _ in range(place.count):
                    while turn[0] != me:
                        condition.wait()
                    turn[0] = 1 - me
                    condition.notify()
        return two_players(place, started(lambda: play(1)), lambda: play(0), place.count)
    return run


class Place(typing.NamedTuple):
    name: str
    partner: set  # processors
    player: set
    count: int  # trips to measure at a time
    bars: dict  # by what is tripped over; none: only to look at


def places():
    everything = sorted(os.sched_getaffinity(0))
    yield Place("one CPU", {everything[0]}, {everything[0]}, 500, {"Lock": 1.0, "Event": 0.70, "Condition": 0.60})
    if len(everything) > 1:
        yield Place("a CPU each", {everything[0]}, {everything[1]}, 1000,
                    dict.fromkeys(("Lock", "Event", "Semaphore", "Condition", "native Queue"), 0.20))
        yield Place("unpinned", set(everything), set(everything), 1000, {})


def rows(ours, theirs, our_queue, their_queue):
    """(name, bar, our runner, the stdlib's)"""
    for place in places():
        runners = {name: [round_trip(pair, module, place) for module in (ours, theirs)]
                   for name, pair in (("Lock", lock_pair), ("Event", event_pair), ("Semaphore", semaphore_pair))}
        runners["Condition"] = [condition_trip(module, place) for module in (ours, theirs)]
        runners["native Queue"] = [round_trip(queue_pair, module, place) for module in (our_queue, their_queue)]
        for name, pair in runners.items():
            yield f"round trip, {name}, {place.name}", place.bars.get(name), *pair
