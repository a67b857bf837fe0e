# SPDX-License-Identifier: MIT
"""Rings a C++ thread's doorbell, and is rung back: one Event, two languages, no GIL on the other side."""

import time

import doorbell
import threadingpp

COUNT = 20000

question, reply = threadingpp.shared("Event"), threadingpp.shared("Event")
doorbell.answer(question, reply, COUNT)
begin = time.perf_counter()
for _ in range(COUNT):
    question.set()
    reply.wait()
    reply.clear()
print(f"{COUNT} round trips, {(time.perf_counter() - begin) / COUNT * 1e6:.2f} µs each")
