#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""threadingpp.dump(): who waits, for what, and who holds it. Each case is a program of its own."""

import textwrap
import unittest

from thread_case import Case

EVENTUALLY = """
    import io, threading, threadingpp, time

    def dump_with(wanted):
        # The dump in which `wanted` stands first.
        deadline = time.monotonic() + 60
        while True:
            text = io.StringIO()
            threadingpp.dump(text)
            if wanted in text.getvalue() or time.monotonic() > deadline:
                return text.getvalue()
            time.sleep(0.001)

    def line_of(name, text):
        return next(line for line in text.splitlines() if line.startswith(name))

    lock = threading.Lock()
"""


class Dump(Case):
    def check(self, program):
        self.run_child(EVENTUALLY + program + "\n    print('ok')\n")

    def test_the_main_thread_waits(self):
        self.check("""
    def look():
        with lock:
            held.set()
            texts.append(dump_with("MainThread, ident %d: waits for Lock" % threading.main_thread().ident))
    held, texts = threading.Event(), []
    holder = threading.Thread(target=look, name="holder")
    holder.start()
    held.wait()
    lock.acquire()
    line = line_of("MainThread", texts[0])
    assert "waits for Lock at" in line and line.endswith("held by holder"), texts[0]
    assert "of C++" not in texts[0], texts[0]
    assert line_of("holder", texts[0]).endswith("running"), texts[0]
    """)

    def test_the_main_thread_holds(self):
        self.check("""
    with lock:
        waiter = threading.Thread(target=lock.acquire, name="waiter")
        waiter.start()
        text = dump_with("held by MainThread")
    waiter.join()
    assert "waits for Lock at" in line_of("waiter", text) and "held by MainThread" in text, text
    """)

    def test_a_thread_of_cpp_that_has_locked_before_it_called_python_holds(self):
        self.check("""
    import crossing
    texts = []
    def hold():
        threading.current_thread().name = "stranger"
        with lock:
            waiter = threading.Thread(target=lock.acquire, name="waiter")
            waiter.start()
            texts.append(dump_with("held by stranger"))
        waiter.join()
    crossing.call(hold)
    assert "held by stranger" in line_of("waiter", texts[0]), texts
    """)

    def test_a_thread_of_cpp_that_has_locked_before_it_called_python_waits(self):
        self.check("""
    import crossing
    idents, texts = [], []
    def wait():
        idents.append(threading.get_ident())
        threading.current_thread().name = "stranger"
        lock.acquire()
    def look():
        dump_with("stranger (daemon), ident")
        texts.append(dump_with("stranger (daemon), ident %d: waits for Lock at" % idents[0]))
        lock.release()
    lock.acquire()
    looker = threading.Thread(target=look)
    looker.start()
    crossing.call(wait)
    looker.join()
    assert "waits for Lock at" in line_of("stranger", texts[0]) and "of C++" not in texts[0], texts
    """)

    def imported_elsewhere(self, program):
        """Another thread than the main one imports; the main thread is known to C++ before it locks in Python."""
        self.run_program(textwrap.dedent("""
    import _thread, threading
    def load():
        try:
            global crossing, threadingpp
            import crossing, threadingpp
            threadingpp.install()
        finally:
            done.release()
    done = _thread.allocate_lock()
    done.acquire()
    _thread.start_new_thread(load, ())
    done.acquire()
    event = threadingpp.shared("Event")
    of_cpp, _ = crossing.start(event, "of C++")
    """ + EVENTUALLY + program + "\n    print('ok')\n"))

    def test_the_main_thread_holds_and_another_has_imported(self):
        self.imported_elsewhere("""
    lock.acquire()
    waiter = threading.Thread(target=lock.acquire, name="waiter")
    waiter.start()
    text = dump_with("held by MainThread")
    lock.release()
    event.set()
    waiter.join()
    of_cpp.join()
    assert "held by MainThread" in line_of("waiter", text), text
    """)

    def test_the_main_thread_waits_and_another_has_imported(self):
        self.imported_elsewhere("""
    texts = []
    def look():
        texts.append(dump_with("MainThread, ident %d: waits for Lock at" % threading.main_thread().ident))
        lock.release()
    lock.acquire()
    looker = threading.Thread(target=look)
    looker.start()
    lock.acquire()
    event.set()
    looker.join()
    of_cpp.join()
    assert "waits for Lock at" in line_of("MainThread", texts[0]), texts
    """)

    def main_waits(self, setup, wait, left):
        """The main thread waits in pieces, each longer than the one before: no time may begin anew with a piece."""
        self.check(f"""
    import re
    {setup}
    seen = []
    def look():
        try:
            while not seen or seen[-1] < 0.3:
                text = dump_with("MainThread, ident %d: waits for" % threading.main_thread().ident)
                line = line_of("MainThread", text)
                so_far, left = re.search(", ([0-9.]+) s so far(?:, ([0-9.]+) s left)?", line).groups()
                assert {left}, line
                seen.append(float(so_far))
        finally:
            {wait[1]}
    looker = threading.Thread(target=look)
    looker.start()
    {wait[0]}
    looker.join()
    assert seen and seen == sorted(seen), seen
    """)

    def test_how_long_the_main_thread_has_waited(self):
        self.main_waits("lock.acquire()", ("lock.acquire()", "lock.release()"), "left is None")
        self.main_waits("units = threading.Semaphore(0)", ("units.acquire()", "units.release()"), "left is None")
        self.main_waits("queue = threadingpp.Queue()", ("queue.get()", "queue.put(1)"), "left is None")
        self.main_waits("event = threading.Event()", ("event.wait()", "event.set()"), "left is None")

    def test_how_long_the_main_thread_goes_on_waiting(self):
        self.main_waits("lock.acquire()", ("lock.acquire(timeout=10000)", "lock.release()"), "float(left) > 1000")

    def test_a_handler_waits_while_the_main_thread_waits(self):
        self.check("""
    import signal
    gate = threading.Event()
    signal.signal(signal.SIGUSR1, lambda *_: gate.wait())
    lock.acquire()
    texts = []
    def look():
        dump_with("MainThread, ident %d: waits for Lock" % threading.main_thread().ident)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
        texts.append(dump_with("MainThread, ident %d: waits for Event" % threading.main_thread().ident))
        gate.set()
        texts.append(dump_with("MainThread, ident %d: waits for Lock" % threading.main_thread().ident))
        lock.release()
    looker = threading.Thread(target=look)
    looker.start()
    lock.acquire()
    looker.join()
    assert "left" not in texts[0] + texts[1], texts
    """)

    def test_threads_that_neither_wait_nor_hold(self):
        self.check("""
    timer = threading.Timer(1000, int)
    timer.name = "later"
    timer.start()
    text = dump_with("later")
    timer.cancel()
    assert "pending, without an OS thread" in line_of("later", text), text
    assert line_of("MainThread", text).endswith("running"), text
    """)


if __name__ == "__main__":
    unittest.main()
