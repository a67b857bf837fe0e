# SPDX-License-Identifier: MIT
"""Texts to C++ threads through one queue, numbers back through another; no GIL on the other side."""

import parcels
import threadingpp

WORKERS = 3
WORDS = ["hello", "from", "python", "to", "threads", "of", "another", "language"] * 1000

texts, counts = threadingpp.shared("Queue"), threadingpp.shared("Queue", 100)
parcels.work(texts, counts, WORKERS)
for word in WORDS:
    texts.put(word)
print(sum(counts.get() for _ in WORDS), "vowels")
for _ in range(WORKERS):
    texts.put(None)
