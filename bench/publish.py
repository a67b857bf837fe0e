# SPDX-License-Identifier: MIT
"""Puts what was measured where people read it: between the markers of docs/performance/README.md and README.md."""

import re


def replace(path, name, text):
    """Between `<!-- measured: NAME -->` and the next `<!-- end -->`."""
    before = path.read_text()
    pattern = re.compile(rf"(<!-- measured: {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not pattern.search(before):
        raise SystemExit(f"{path} has no place for '{name}'")
    path.write_text(pattern.sub(lambda m: m[1] + "\n" + text.strip() + "\n\n" + m[2], before))


# What the front page tells: row, where, how it is called there.
HEADLINES = (
    ("lock_pair", "free", "lock and unlock, nobody else there"),
    ("rlock_reentry", "free", "take a recursive lock once more, and back"),
    ("event_wait_set", "free", "wait for an event that is set"),
    ("condition_ping_pong", "one", "condition, there and back, on one processor"),
    ("condition_ping_pong", "apart", "condition, there and back, on two"),
    ("semaphore_ping_pong", "apart", "semaphore, there and back, on two"),
    ("queue_1_1", "apart", "an item through a bounded queue, on two"),
    ("thread_start_join", "one", "start a thread and join it"),
    ("thread_batch_64", "one", "the same, 64 at a time, each"),
    ("timers_start_cancel", "free", "start a timer and cancel it, of 100,000"),
)


def nanoseconds(value):
    return f"{value:,.0f} ns" if value >= 100 else f"{value:.1f} ns"


def headlines(verdict_of):
    """verdict_of(row, placement): a Verdict, or None."""
    lines = ["| | threading++ | best of the others | ratio |", "|---|---|---|---|"]
    for row, placement, title in HEADLINES:
        verdict = verdict_of(row, placement)
        if verdict is None or not verdict.ours or not verdict.best:
            continue
        best = verdict.rivals[verdict.best]
        lines.append(f"| {title} | {nanoseconds(verdict.ours.median())} | {nanoseconds(best.median())} ({verdict.best}) "
                     f"| {verdict.to_peer:.2f} |")
    return "\n".join(lines)
