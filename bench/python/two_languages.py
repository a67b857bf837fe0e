# SPDX-License-Identifier: MIT
"""One core, two languages: a C++ thread and a Python thread, over one shared Event or through the GIL."""

import statistics
import threading

import threadingpp
import trips
import two_languages_core as core

SETS = 40  # each with a pause behind it; through the GIL each takes a switch interval


def trip(answer, make, place):
    """(nanoseconds, switches of threads) of one question to the C++ thread and its answer."""
    def run():
        question, reply = make(), make()

        def start():
            answer(question, reply, place.count)
            return core.finish

        def ask():
            for _ in range(place.count):
                question.set()
                reply.wait()
                reply.clear()
        return trips.two_players(place, start, ask, place.count)
    return run


def while_computing(start, make):
    """The median cost of a C++ thread's set() while this thread computes."""
    def run():
        event = make()
        start(event, SETS)
        number = 0
        while not core.is_done():
            for each in range(1000):
                number = number * each & 0xffff
        return statistics.median(core.finish())
    return run


def shared_event():
    return threadingpp.shared("Event")


def rows():
    """(name, bar of the ratio, bar in nanoseconds, ours, through the GIL with the stdlib's Event)"""
    for place in trips.places():
        yield (f"C++ and Python answer each other, {place.name}", 0.30 if place.bars else None, None,
               trip(core.answer, shared_event, place), trip(core.answer_with_gil, threading.Event, place))
    yield ("set() by C++ while Python computes", None, 1000, while_computing(core.time_set, shared_event),
           while_computing(core.time_set_with_gil, threading.Event))
