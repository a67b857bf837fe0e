# SPDX-License-Identifier: MIT
"""The rows: what each one asks, where it runs, and the target it is judged by."""

from collections import namedtuple

OURS = "threading++"
LIMIT = "limit"

# peer: our time must be at most this multiple of the best peer's; limit: of the physical limit's. None: not judged.
# fair: only peers count whose least served thread gets at least half of what ours gets. longest: milliseconds that none of
# our threads may have waited, in any process. against: the peer that counts instead of the best one.
Target = namedtuple("Target", "peer limit fair longest against", defaults=(None, None, False, None, None))
Row = namedtuple("Row", "name title targets")


def uncontended(name, title):
    return Row(name, title, {"free": Target(0.95, 1.05)})


def contended(shape, inside, threads):
    """Where threads outnumber the processors by far, each other thread has a slice before one that waits: no longest wait."""
    title = f"{threads} threads, one lock, {inside}"
    target = Target(1.0, None, True, 10 if threads == 2 else None)
    return Row(f"contended_{shape}_{threads}", title, {"free": target, "one": target})


# Between two processors, where a good policy spins and the others sleep.
HAND_OVER = {"one": Target(1.0, 1.1), "apart": Target(0.3, None)}
SHAPES = (
    ("empty", "nothing inside or outside"),
    ("short", "100 ns inside, 100 ns outside"),
    ("light", "100 ns inside, 1 µs outside"),
    ("long", "2 µs inside, 2 µs outside"),
)

ROWS = [
    uncontended("lock_pair", "lock and unlock"),
    uncontended("lock_timed", "lock with a timeout, and unlock"),
    uncontended("try_held", "try a held lock"),
    uncontended("rlock_pair", "recursive lock and unlock"),
    uncontended("rlock_reentry", "one more level, and back"),
    uncontended("notify_idle", "notify when nobody waits"),
    uncontended("event_set_clear", "event: set and clear"),
    uncontended("event_set_again", "event: set when set"),
    uncontended("event_wait_set", "event: wait when set"),
    uncontended("semaphore_pair", "semaphore: acquire and release"),
    Row("local_access", "a value of this thread", {"free": Target(1.0, None)}),
    Row("lock_hand_over", "lock handed to a thread that waits", HAND_OVER),
    Row("condition_ping_pong", "condition: there and back", HAND_OVER),
    Row("event_ping_pong", "event: there and back", HAND_OVER),
    Row("semaphore_ping_pong", "semaphore: there and back", HAND_OVER),
    Row("condition_broadcast_8", "condition: 8 threads woken and back", {"one": Target(1.0, 1.1), "free": Target(1.0)}),
    Row("condition_broadcast_64", "condition: 64 threads woken and back", {"one": Target(1.0, 1.1), "free": Target(1.0)}),
    Row("queue_1_1", "bounded queue, 1 producer, 1 consumer", {"one": Target(1.0), "apart": Target(0.3)}),
    Row("queue_4_4", "bounded queue, 4 producers, 4 consumers", {"one": Target(1.0), "free": Target(0.3)}),
    Row("barrier_1", "barrier alone", {"free": Target(1.0)}),
    Row("barrier_2", "barrier of 2", {"one": Target(1.0), "apart": Target(1.0)}),
    Row("barrier_4", "barrier of 4", dict.fromkeys(("one", "free"), Target(1.1, against="std"))),
    Row("barrier_8", "barrier of 8", dict.fromkeys(("one", "free"), Target(1.1, against="std"))),
    *[contended(shape, inside, threads) for shape, inside in SHAPES for threads in (2, 4, 8)],
    Row("adversary", "2 threads that take it again at once, 20 µs inside", dict.fromkeys(("free", "one"), Target(fair=True, longest=10))),
    Row("thread_start_join", "start a thread and join it", dict.fromkeys(("one", "free"), Target(0.9, against="std"))),
    Row("thread_batch_64", "the same, 64 at a time, each", dict.fromkeys(("one", "free"), Target(0.9, against="std"))),
    Row("timers_start_cancel", "100,000 timers: start and cancel, each", {"free": Target(0.2, against="boost.asio")}),
    Row("timers_fire", "100,000 timers due at once: fire, each", {"free": Target(0.2, against="boost.asio")}),
    Row("timers_late", "one timer: how late", {"free": Target(1.0)}),
]

# What a curve is judged by. growth: its last point may take at most this multiple of what a hundred take; what depends on
# the number takes a hundred times as much at 10,000. bytes, threads: of its last point, at most. None: not judged.
class Bounds(namedtuple("Bounds", "growth bytes threads", defaults=(None, None, None))):
    def missed(self, **found):
        """What is above its bound, or was not measured."""
        return [f"{what} ≤ {bound}" for what, bound in self._asdict().items()
                if bound is not None and (found[what] is None or found[what] > bound)]


FLAT = Bounds(growth=4)

# The cost curves: the numbers they run with, what the axes say; the row that is run, and which of its times is meant.
Curve = namedtuple("Curve", "name title counts x row key bounds", defaults=(None, "ns", Bounds()))
WAITERS = (1, 2, 4, 10, 30, 100, 300, 1000, 3000, 10000)
OBJECTS = (1, 10, 100, 1000, 10_000, 100_000, 1_000_000)
CURVES = [
    Curve("scale_notify", "notify one of many: there and back", WAITERS, "threads waiting on one condition", bounds=FLAT),
    Curve("scale_notify_all", "notify all, each", WAITERS, "threads waiting on one condition"),
    Curve("scale_unlock", "release and next acquisition", WAITERS, "threads queued for one lock", bounds=FLAT),
    Curve("scale_timeout", "a wait that times out at once", WAITERS, "threads waiting on one event", bounds=FLAT),
    Curve("scale_waiting_objects", "set one of many events: there and back", WAITERS, "events, a waiting thread each", bounds=FLAT),
    Curve("scale_waiting_timeout", "a wait that times out at one of many events", WAITERS, "events, a waiting thread each",
          bounds=FLAT),
    Curve("scale_waiting_locks", "release one of many locks: there and back", WAITERS, "held locks, a waiting thread each", bounds=FLAT),
    Curve("scale_waiting_pair", "lock and unlock beside many that are waited for", WAITERS, "held locks, a waiting thread each",
          bounds=FLAT),
    Curve("scale_waiting_notify", "notify one of many conditions: there and back", WAITERS, "conditions, a waiting thread each",
          bounds=FLAT),
    Curve("scale_threads", "enumerate(), a thread", WAITERS, "live threads"),
    Curve("scale_dump", "dump(), a thread", WAITERS, "live threads that wait"),
    Curve("timers_start_cancel", "start a timer and cancel it", OBJECTS, "timers", bounds=Bounds(bytes=256, threads=2)),
    Curve("timers_start", "start a timer", OBJECTS, "timers", "timers_start_cancel", "start"),
    Curve("timers_cancel", "cancel a timer", OBJECTS, "timers", "timers_start_cancel", "cancel"),
    Curve("timers_fire", "fire a timer of many due at once", OBJECTS, "timers"),
    Curve("timers_late", "one timer: how late", OBJECTS, "other timers that are pending"),
    Curve("scale_objects", "lock and unlock, in turn", OBJECTS, "locks"),
]
