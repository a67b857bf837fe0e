# SPDX-License-Identifier: MIT
"""Counts instructions instead of time, with callgrind: the same on every machine, however busy it is."""

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

# Rows without competition, with how many steps; what one step does must not depend on the time.
STEPS = {
    "lock_pair": 2000,
    "try_held": 2000,
    "lock_timed": 2000,
    "rlock_pair": 2000,
    "rlock_reentry": 2000,
    "notify_idle": 2000,
    "event_set_clear": 2000,
    "event_set_again": 2000,
    "event_wait_set": 2000,
    "semaphore_pair": 2000,
    "local_access": 2000,
    "barrier_1": 2000,
    "thread_start_join": 200,
    "timers_start_cancel": 2000,
}


def run(program, row, rival, steps):
    """Instructions of a whole process, or None."""
    words = [row, rival, "free", f"{steps}x"]
    process = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, *words],
                             capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", process.stderr)
    return int(found[1]) if process.returncode == 0 and found else None


def per_step(program, row, rival):
    """What is left of the difference between two runs is the steps; start-up and warm-up cancel out."""
    less, more = run(program, row, rival, STEPS[row]), run(program, row, rival, 3 * STEPS[row])
    return None if less is None or more is None else (more - less) / (2 * STEPS[row])


def count_all(program, pairs, processes):
    """pairs: (row, rival). Returns: (row, rival) → instructions a step."""
    with ThreadPoolExecutor(processes) as pool:
        counts = list(pool.map(lambda pair: per_step(program, *pair), pairs))
    return {pair: count for pair, count in zip(pairs, counts) if count is not None}
