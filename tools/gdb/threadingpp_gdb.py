# SPDX-License-Identifier: MIT
"""gdb pretty-printers for threading++: `source threadingpp_gdb.py`, then `print lock` says who holds it.

The bits are those of the head comments in src/primitives/*.cpp; tests/gdb compares the two.
"""

import gdb
import gdb.printing

NAMESPACE = r"^threading::(v1::)?"

LOCK_HELD, LOCK_PARKED, LOCK_OWNER_SHIFT = 1, 2, 2
CONDITION_OVER = ("own_", "rlock_", "lock_")
CONDITION_LAST = len(CONDITION_OVER) - 1
SEMAPHORE_WAITERS, SEMAPHORE_OWED = -(1 << 62), -(1 << 62) - 1  # less: the counter is at its end
EVENT_FLAG, EVENT_WAITERS = 1 | 1 << 31, 2
BARRIER_BROKEN, BARRIER_DRAINING, BARRIER_SHIFT = 1, 2, 3
THREAD_PHASE = 3


def load(atomic):
    """The value inside a std::atomic of a number; that of a bool holds one more struct."""
    try:
        return atomic["_M_base"]["_M_i"]
    except gdb.error:
        return atomic["_M_i"]


def load_pointer(atomic):
    return atomic["_M_b"]["_M_p"]


def load_int(atomic):
    return int(load(atomic))


def thread_of(token):
    """The living thread with this token, in gdb's own words."""
    if token == 0:
        return "a thread without a token"
    selected = gdb.selected_thread()
    frame = gdb.selected_frame()
    try:
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            try:
                block = gdb.parse_and_eval("'threading::v1::detail::backend::tls_per_thread'")
            except gdb.error:
                continue  # this thread's thread-local storage cannot be read
            if int(block["token"]) == token:
                return f'gdb thread {thread.num} "{thread.name}"'
    finally:
        selected.switch()
        frame.select()
    return f"a thread that is gone (token {token})"


def describe_lock(word):
    if not word & LOCK_HELD:
        return "unlocked" + (", one is about to take it" if word & LOCK_PARKED else "")
    return f"held by {thread_of(word >> LOCK_OWNER_SHIFT)}" + (", others wait" if word & LOCK_PARKED else "")


class Printer:
    def __init__(self, value):
        self.value = value

    def word(self):
        return load_int(self.value["word_"])


class LockPrinter(Printer):
    def to_string(self):
        return f"Lock({describe_lock(self.word())})"


class RLockPrinter(Printer):
    def to_string(self):
        depth = load_int(self.value["depth_"]) or 1  # counted from the second level on
        times = f", {depth} times" if self.word() & LOCK_HELD and depth != 1 else ""
        return f"RLock({describe_lock(self.word())}{times})"


class ConditionPrinter(Printer):
    def state(self):
        """What it is over, a number, and whether somebody waits."""
        word = load_pointer(self.value["word_"])
        at = int(word) - int(gdb.parse_and_eval("(unsigned long)&'threading::v1::detail::condition_signs'"))
        sign = at // word.dereference().type.sizeof
        return (sign // 2, sign % 2) if 0 <= sign < 2 * CONDITION_LAST else (CONDITION_LAST, sign == 2 * CONDITION_LAST)

    def to_string(self):
        over, waits = self.state()
        lock = self.value[CONDITION_OVER[over]]
        if over != 0:
            lock = lock.dereference()
        inner = (LockPrinter if over == CONDITION_LAST else RLockPrinter)(lock).to_string()
        return f"Condition({'threads wait' if waits else 'nobody waits'}, over {inner})"


class SemaphorePrinter(Printer):
    name = "Semaphore"

    def details(self):
        word = self.word()
        if word >= 0:
            return f"value {word}"
        if word < SEMAPHORE_OWED:
            return f"value {(1 << 63) - 1}"
        return f"value {max(word - SEMAPHORE_WAITERS, 0)}, threads wait"

    def to_string(self):
        return f"{self.name}({self.details()})"


class BoundedSemaphorePrinter(SemaphorePrinter):
    name = "BoundedSemaphore"

    def details(self):
        return super().details() + f", at most {int(self.value['initial_value_'])}"


class EventPrinter(Printer):
    def to_string(self):
        state = "set" if self.word() & EVENT_FLAG else "clear"
        return f"Event({state}{', threads wait' if self.word() & EVENT_WAITERS else ''})"


class BarrierPrinter(Printer):
    def to_string(self):
        word = self.word()
        if word & BARRIER_DRAINING:
            state = "draining"
        elif word & BARRIER_BROKEN:
            state = "broken"
        else:
            state = "filling"
        return f"Barrier({state}, {word >> BARRIER_SHIFT} of {int(self.value['parties_'])} have arrived)"


class ThreadPrinter(Printer):
    KINDS = {"main": "MainThread", "dummy": "Dummy-", "thread": "Thread-", "timer": "Thread-", "embedded": "Thread-"}

    def to_string(self):
        state = self.value["handle_"]["state_"].dereference()
        if self.kind(state) != "timer":
            state = state.cast(gdb.lookup_type("threading::v1::detail::OsThreadState"))
        parts = [self.name(state)]
        if self.kind(state) != "timer":
            ident = load_int(state["ident"])
        else:
            ident = int(state.address) if load_int(state["join"]["word"]) & THREAD_PHASE else 0
        if bool(state["is_listed"]):
            parts.append("alive")
        else:
            parts.append("ended" if ident else "not started")
        if bool(load(state["is_daemon"])):
            parts.append("daemon")
        if ident:
            parts.append(f"ident {ident}")
        native_id = load_int(state["native_id"])
        if 0 < native_id < 1 << 31:
            parts.append(f"native id {native_id}")
        return f"Thread({', '.join(parts)})"

    def name(self, state):
        word = load_int(state["label"]["word_"])
        number = word >> 1
        if word & 1 == 0:
            extras = gdb.Value(word).cast(gdb.lookup_type("threading::v1::detail::Extras").pointer())
            if bool(extras["has_name"]):
                return str(extras["name"])
            number = int(extras["number"])
        kind = self.kind(state)
        return self.KINDS[kind] if kind == "main" else f"{self.KINDS[kind]}{number}"

    @staticmethod
    def kind(state):
        return str(state["kind"]).rsplit("::", 1)[-1]


def build():
    printers = gdb.printing.RegexpCollectionPrettyPrinter("threadingpp")
    for name, printer in {
        "Lock": LockPrinter,
        "RLock": RLockPrinter,
        "Condition": ConditionPrinter,
        "Semaphore": SemaphorePrinter,
        "BoundedSemaphore": BoundedSemaphorePrinter,
        "Event": EventPrinter,
        "Barrier": BarrierPrinter,
        "Thread": ThreadPrinter,
        "Timer": ThreadPrinter,
    }.items():
        printers.add_printer(name, NAMESPACE + name + "$", printer)
    printers.add_printer("ThreadOf", NAMESPACE + "ThreadOf<.*>$", ThreadPrinter)
    return printers


gdb.printing.register_pretty_printer(gdb.current_objfile(), build(), replace=True)
